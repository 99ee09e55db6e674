"""OpenCV's level of messages is the process's: threads that decode at once must not leave it."""

import threading

from cv2.utils import logging

from pullfocus.photo.codecs.opencv import imdecode_unchanged, silent_opencv


def test_the_level_comes_back_after_the_last_of_several_threads():
    before = logging.getLogLevel()
    first, second = threading.Event(), threading.Event()

    def outer():
        with silent_opencv():
            first.set()
            second.wait(10)

    thread = threading.Thread(target=outer)
    thread.start()
    first.wait(10)
    with silent_opencv():  # begins while the other is silent, and ends after it
        second.set()
        thread.join()
        assert logging.getLogLevel() == logging.LOG_LEVEL_SILENT
    assert logging.getLogLevel() == before != logging.LOG_LEVEL_SILENT


def test_what_cannot_be_decoded_is_silent(capfd):
    before = logging.getLogLevel()
    assert imdecode_unchanged(b"\x89PNG\r\n\x1a\n" + bytes(40)) is None
    assert capfd.readouterr().err == ""
    assert logging.getLogLevel() == before
