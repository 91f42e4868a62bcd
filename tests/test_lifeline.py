"""A process ends with its parent, and SIGTERM takes the way of an interrupt from the keyboard."""

import os
import signal
import subprocess
import sys
import textwrap
import threading

import pytest

from trisynth.commandline import one_line_errors
from trisynth.lifeline import Terminated, terminable

# A process that starts another, which waits for ever.
CHAIN = """
    import os, subprocess, sys, time
    inner = "import sys, time; from trisynth import lifeline; lifeline.end_with(int(sys.argv[1])); "
    inner += "print('ready', flush=True); time.sleep(10_000)"
    subprocess.Popen([sys.executable, "-c", inner, str(os.getpid())])
    time.sleep(10_000)
"""


def test_a_process_ends_with_its_parent():
    source = textwrap.dedent(CHAIN)
    outer = subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, text=True)
    assert outer.stdout.readline() == "ready\n"
    outer.kill()
    # The inner process holds the other end of the pipe; only its end closes it.
    assert outer.stdout.read() == ""
    outer.communicate()


def test_a_process_whose_parent_has_ended_before_ends_at_once():
    line = "from trisynth import lifeline; lifeline.end_with(1 << 22); import time; time.sleep(10_000)"
    assert subprocess.run([sys.executable, "-c", line], check=False).returncode == -signal.SIGKILL


def test_sigterm_is_an_interrupt_inside_the_block_alone():
    with pytest.raises(Terminated), terminable():
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait()
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_sigterm_is_one_line_with_its_own_status(capsys):
    with pytest.raises(SystemExit) as ended, one_line_errors(), one_line_errors():
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait()
    assert ended.value.code == 143
    assert capsys.readouterr().err.count("error: interrupted; what was finished is kept") == 1


def test_outside_the_main_thread_nothing_changes():
    def body():
        with terminable():
            pass

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
