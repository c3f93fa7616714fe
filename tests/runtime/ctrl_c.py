"""Runs a command in a terminal of its own, presses Ctrl-C once it has printed a text, prints the rest."""

import os
import pty
import sys
import time

LIMIT_SECONDS = 60


def main():
    sign, command = sys.argv[1].encode(), sys.argv[2:]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(command[0], command)
    out, pressed, end = b"", False, time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < end:
        try:
            read = os.read(terminal, 65536)
        except OSError:
            break
        if not read:
            break
        out += read
        if not pressed and sign in out:
            pressed = True
            os.write(terminal, b"\x03")
    _, status = os.waitpid(pid, 0)
    sys.stdout.buffer.write(out)
    print(f"\nexit {os.waitstatus_to_exitcode(status)}")


main()
