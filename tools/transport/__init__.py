"""How a message reaches the provider: one package a transport, one seam for all."""

from .base import Outcome, SubmissionResult, Transport, TransportFailure

__all__ = ["Outcome", "SubmissionResult", "Transport", "TransportFailure"]
