"""Let the kernel kill this process at the first file, connection or program it tries to open.

Audit events end where C begins: libxml2, qpdf and Saxon open files without raising one. A seccomp
filter is below all of them, needs no privilege, and cannot be taken off again (seccomp(2)).
"""

from __future__ import annotations

import ctypes
import platform
import sys

_X86_64 = (
    *(2, 85, 257, 437),  # open creat openat openat2
    *(41, 42, 44, 46, 49, 50),  # socket connect sendto sendmsg bind listen
    *(56, 57, 58, 59, 322, 435),  # clone fork vfork execve execveat clone3
    *(76, 82, 83, 84, 86, 87, 88, 133),  # truncate rename mkdir rmdir link unlink symlink mknod
    *(258, 259, 263, 264, 265, 266, 316, 425),  # the same relative to a folder; io_uring_setup
)
_AARCH64 = (
    *(56, 437),  # openat openat2
    *(198, 203, 206, 211, 200, 201),  # socket connect sendto sendmsg bind listen
    *(220, 221, 281, 435),  # clone execve execveat clone3
    *(45, 33, 34, 35, 36, 37, 38, 276, 425),  # truncate mknodat mkdirat unlinkat ... io_uring_setup
)
_MACHINES = {"x86_64": (0xC000003E, _X86_64), "aarch64": (0xC00000B7, _AARCH64)}
"""Machine -> AUDIT_ARCH, numbers of the calls that kill (the kernel's own tables)."""

_KILL, _ALLOW = 0x80000000, 0x7FFF0000
_LOAD, _JUMP_IF, _RETURN = 0x20, 0x15, 0x06
_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("yes", ctypes.c_uint8),
        ("no", ctypes.c_uint8),
        ("k", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.POINTER(_Instruction)))


def close_the_doors() -> bool:
    """Install the filter in this process; False where this system has no such thing."""
    machine = _MACHINES.get(platform.machine())
    if sys.platform != "linux" or machine is None:
        return False
    arch, calls = machine
    steps = [
        (_LOAD, 0, 0, 4),  # seccomp_data.arch
        (_JUMP_IF, 1, 0, arch),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),  # seccomp_data.nr
        *((_JUMP_IF, len(calls) - n, 0, call) for n, call in enumerate(calls)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _KILL),
    ]
    code = (_Instruction * len(steps))(*(_Instruction(*step) for step in steps))
    program = _Program(len(steps), code)
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    if prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        return False
    return not prctl(_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0)
