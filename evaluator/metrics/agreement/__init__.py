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
- kappa: the mean of their Cohen kappas, weighted by the disagreements that chance would give;
- Matthews, Spearman, Kendall: the correlation within annotators, so that nobody is blamed for being strict throughout,
  which is what bias and kappa are for; Spearman's is the partial rank correlation given the annotator;
- bias, mean absolute error: over all labels.

The *noise ceiling* is what no rater with one answer an item can pass on these very items, found with hindsight: exact
for kappa, F1 and the mean absolute error, a bound for correlations. The others of all annotators of an item name the
same majority, or are tied and left out, unless the votes of all are tied. So with an odd number of annotators and two
classes the ceiling against majorities is 1; against single annotators, where nothing is left out, it is not.
"""

from evaluator.metrics.agreement.ceilings import (
    f1_ceiling,
    kappa_ceiling,
    kendall_ceiling,
    least_absolute_error,
    matthews_ceiling,
    spearman_ceiling,
)
from evaluator.metrics.agreement.confusion import Labels, classes_of, f1_of, kappa_of, matthews_of, tally
from evaluator.metrics.agreement.figures import (
    bias,
    compared,
    f1,
    kappa,
    kendall,
    krippendorff_alpha,
    matthews,
    mean_absolute_error,
    selection_ratio,
    spearman,
)
from evaluator.metrics.agreement.others import (
    Comparisons,
    HeldOut,
    Votes,
    against_majority,
    against_mean,
    against_singles,
    majority,
    mean,
)
from evaluator.metrics.agreement.records import (
    AnnotatorClasses,
    AnnotatorKappa,
    AnnotatorRatings,
    ClassAgreement,
    ClassFigures,
    Counts,
    RatingAgreement,
    RatingFigures,
    SingleAgreement,
)
from evaluator.metrics.agreement.summaries import (
    class_agreement,
    class_ceiling,
    class_figures,
    rating_agreement,
    rating_ceiling,
    rating_figures,
    single_agreement,
)

__all__ = [
    "AnnotatorClasses",
    "AnnotatorKappa",
    "AnnotatorRatings",
    "ClassAgreement",
    "ClassFigures",
    "Comparisons",
    "Counts",
    "HeldOut",
    "Labels",
    "RatingAgreement",
    "RatingFigures",
    "SingleAgreement",
    "Votes",
    "against_majority",
    "against_mean",
    "against_singles",
    "bias",
    "class_agreement",
    "class_ceiling",
    "class_figures",
    "classes_of",
    "compared",
    "f1",
    "f1_ceiling",
    "f1_of",
    "kappa",
    "kappa_ceiling",
    "kappa_of",
    "kendall",
    "kendall_ceiling",
    "krippendorff_alpha",
    "least_absolute_error",
    "majority",
    "matthews",
    "matthews_ceiling",
    "matthews_of",
    "mean",
    "mean_absolute_error",
    "rating_agreement",
    "rating_ceiling",
    "rating_figures",
    "selection_ratio",
    "single_agreement",
    "spearman",
    "spearman_ceiling",
    "tally",
]
