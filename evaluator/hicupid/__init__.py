"""HiCUPID: long synthetic histories, personal questions, answers judged against gold."""
