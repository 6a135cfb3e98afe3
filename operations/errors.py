"""What goes wrong in operations, in words for the person who asked.

OperationsError                  what was asked makes no sense as it stands
├── NotKnown                     no such run, credential, token, schedule or host key
├── AlreadyThere                 the name is taken
├── KeyProblem                   the key that protects secrets is missing, readable by others, or another one
├── RunRefused                   the run is not in a state in which that can be done
└── OperationsUnavailable        the operations database does not answer
    └── OperationsTooNew         it was written by a newer version of this program
"""

from __future__ import annotations


class OperationsError(Exception):
    """Says what, where, and what to do; never holds a secret."""


class NotKnown(OperationsError):
    """Nothing has that name."""


class AlreadyThere(OperationsError):
    """Something has that name already."""


class KeyProblem(OperationsError):
    """The key that protects secrets at rest cannot be used."""


class RunRefused(OperationsError):
    """The run was taken by somebody else, or has ended."""


class OperationsUnavailable(OperationsError):
    """The operations database cannot be opened, read or written now."""


class OperationsTooNew(OperationsUnavailable):
    """A newer version of this program wrote it; it is not touched."""
