"""What everyone may have of the archive: public records, and the files of the data sets `results` and `requests`.

Everything here is a pure function: records in, records or bytes out.
"""
