"""How far raters agree: figures on two label vectors or a whole table, what is fair to ask of a rater, and what is not.

A *table* is an array of (items x annotators) in double precision, with NaN for gaps and one column for each real
annotator, who may have labelled any number of items. Labels are numbers: a class's name, or a rating. All functions are
pure, and the order of items or annotators changes nothing.

What is not defined is None: a figure that would be 0/0, because nothing can be compared, or because what it divides by
vanishes on these labels. So kappa and alpha are None where only one class is used, Matthews and rank correlations where
either side is constant, F1 and the selection ratio where nobody, or not the reference, names the class. A rater who
always gives the same answer among others who do not has a kappa of 0, which is its value and no convention, but no
Matthews correlation. Neither NaN nor a 0 for want of a value ever comes out; how much was compared stands beside.

A rater is compared with *the others* annotator by annotator: whatever he is compared with for annotator j, j is
compared with as well, on the same items, and neither has a part in it. What annotators reach in that way is *one more
human*. Over annotators everything adds up before it is divided, so that an annotator with few items weighs little, and
none drops out because a figure of his own is not defined:

- F1: the mean of the annotators' F1, weighted by how often either side names the class;
- kappa: the mean of their Cohen kappas, weighted by items and by how much the reference varies, whatever rater is
  looked at: nobody changes what a kappa weighs by what he says. Against single annotators it is the mean over pairs of
  an annotator and another one, on the items that both labelled;
- Matthews, Spearman, Kendall: the correlation *within annotators*, so that nobody is blamed for being strict
  throughout, which is what bias and kappa are for; Spearman's is the partial rank correlation given the annotator;
- bias, mean absolute error: over all labels.

What others publish is something else, and stands beside it under names of its own: `f1_majority`, against the majority
of all annotators, and `spearman_mean` and `kendall_mean`, with the mean of all, each item once. No annotator can be
looked at in that way, since he has a part in those. The selection ratio counts each item once as well.

The *noise ceiling* is what no rater with one answer an item can pass on these very items, found with hindsight: exact
for F1 and the mean absolute error, a bound for correlations and for kappas, which take two classes (a bound that is
reached where nothing is contested, and by two annotators). The others of all annotators of an item name the same
majority, or are tied and left out, unless the votes of all are tied. So with an odd number of annotators and two
classes the ceiling against majorities is 1 whatever they say (`is_trivial`); look at that of the mean kappa against
single annotators, where nothing is left out.
"""

from evaluator.metrics.agreement.ceilings import f1_ceiling as f1_ceiling
from evaluator.metrics.agreement.ceilings import is_trivial as is_trivial
from evaluator.metrics.agreement.ceilings import kappa_ceiling as kappa_ceiling
from evaluator.metrics.agreement.ceilings import kendall_ceiling as kendall_ceiling
from evaluator.metrics.agreement.ceilings import least_absolute_error as least_absolute_error
from evaluator.metrics.agreement.ceilings import matthews_ceiling as matthews_ceiling
from evaluator.metrics.agreement.ceilings import single_kappa_ceiling as single_kappa_ceiling
from evaluator.metrics.agreement.ceilings import spearman_ceiling as spearman_ceiling
from evaluator.metrics.agreement.confusion import Labels as Labels
from evaluator.metrics.agreement.confusion import Places as Places
from evaluator.metrics.agreement.confusion import classes_of as classes_of
from evaluator.metrics.agreement.confusion import f1_of as f1_of
from evaluator.metrics.agreement.confusion import kappa_of as kappa_of
from evaluator.metrics.agreement.confusion import matthews_of as matthews_of
from evaluator.metrics.agreement.confusion import tally as tally
from evaluator.metrics.agreement.figures import bias as bias
from evaluator.metrics.agreement.figures import compared as compared
from evaluator.metrics.agreement.figures import f1 as f1
from evaluator.metrics.agreement.figures import kappa as kappa
from evaluator.metrics.agreement.figures import kendall as kendall
from evaluator.metrics.agreement.figures import krippendorff_alpha as krippendorff_alpha
from evaluator.metrics.agreement.figures import matthews as matthews
from evaluator.metrics.agreement.figures import mean_absolute_error as mean_absolute_error
from evaluator.metrics.agreement.figures import selection_ratio as selection_ratio
from evaluator.metrics.agreement.figures import spearman as spearman
from evaluator.metrics.agreement.others import Comparisons as Comparisons
from evaluator.metrics.agreement.others import HeldOut as HeldOut
from evaluator.metrics.agreement.others import Votes as Votes
from evaluator.metrics.agreement.others import against_majority as against_majority
from evaluator.metrics.agreement.others import against_mean as against_mean
from evaluator.metrics.agreement.others import against_singles as against_singles
from evaluator.metrics.agreement.others import majority as majority
from evaluator.metrics.agreement.others import mean as mean
from evaluator.metrics.agreement.records import AnnotatorClasses as AnnotatorClasses
from evaluator.metrics.agreement.records import AnnotatorKappa as AnnotatorKappa
from evaluator.metrics.agreement.records import AnnotatorRatings as AnnotatorRatings
from evaluator.metrics.agreement.records import ClassAgreement as ClassAgreement
from evaluator.metrics.agreement.records import ClassFigures as ClassFigures
from evaluator.metrics.agreement.records import Counts as Counts
from evaluator.metrics.agreement.records import MajorityF1 as MajorityF1
from evaluator.metrics.agreement.records import RatingAgreement as RatingAgreement
from evaluator.metrics.agreement.records import RatingFigures as RatingFigures
from evaluator.metrics.agreement.records import SingleAgreement as SingleAgreement
from evaluator.metrics.agreement.summaries import RATING_MEASURES as RATING_MEASURES
from evaluator.metrics.agreement.summaries import Measure as Measure
from evaluator.metrics.agreement.summaries import class_agreement as class_agreement
from evaluator.metrics.agreement.summaries import class_ceiling as class_ceiling
from evaluator.metrics.agreement.summaries import class_figures as class_figures
from evaluator.metrics.agreement.summaries import class_measures as class_measures
from evaluator.metrics.agreement.summaries import majority_f1 as majority_f1
from evaluator.metrics.agreement.summaries import rating_agreement as rating_agreement
from evaluator.metrics.agreement.summaries import rating_ceiling as rating_ceiling
from evaluator.metrics.agreement.summaries import rating_figures as rating_figures
from evaluator.metrics.agreement.summaries import single_agreement as single_agreement
from evaluator.metrics.agreement.summaries import single_kappa as single_kappa
