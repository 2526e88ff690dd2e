"""Signatures of jobs: whoever holds a key says what is to run, and a worker runs nothing else.

What is signed is what decides which code runs, with what, where, from when on and how often (terms.py). The signature
is one of the job's headers (seal.py), so that it goes wherever its job goes, and costs a job that has none nothing.
"""

from pgqueue.signing.checking import Early, Untrusted, Verdict, check
from pgqueue.signing.configured import hidden_variables, sign_as_told, sign_with, signer
from pgqueue.signing.seal import Seal, seal_in
from pgqueue.signing.signer import Sign, Signer
from pgqueue.signing.terms import Kind, SignedTerms

__all__ = [
    "Early",
    "Kind",
    "Seal",
    "Sign",
    "SignedTerms",
    "Signer",
    "Untrusted",
    "Verdict",
    "check",
    "hidden_variables",
    "seal_in",
    "sign_as_told",
    "sign_with",
    "signer",
]
