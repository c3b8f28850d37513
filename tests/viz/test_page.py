"""A page is written whole or not at all."""

import errno
import os
import threading
from functools import partial
from pathlib import Path

import pytest

from viz.fan import ChartError
from viz.page import save

PAGE = "<p>¥</p>\n" * 10_000


def test_a_disk_that_is_full_leaves_the_page_that_was_there(tmp_path, monkeypatch):
    file = tmp_path / "report.html"
    save(file, lambda: "before")
    real = Path.write_text

    def half(path, text, **options):
        real(path, text[: len(text) // 2], **options)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", half)
    with pytest.raises(ChartError, match="no space left on device"):
        save(file, lambda: PAGE)
    assert file.read_text(encoding="utf-8") == "before"
    assert list(tmp_path.iterdir()) == [file]


def test_a_page_replaces_the_one_before(tmp_path):
    for text in ("before", PAGE):
        save(tmp_path / "report.html", partial(str, text))
    assert [path.read_text(encoding="utf-8") for path in tmp_path.iterdir()] == [PAGE]


def test_a_page_goes_through_a_link_as_to_standard_output(tmp_path):
    link, file = tmp_path / "link", tmp_path / "out"
    file.write_text("before")
    link.symlink_to(file)
    save(link, lambda: PAGE)
    assert link.is_symlink()
    assert file.read_text(encoding="utf-8") == PAGE


def test_a_page_goes_into_a_pipe(tmp_path):
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_text(encoding="utf-8")))
    reader.start()
    save(pipe, lambda: PAGE)
    reader.join()
    assert read == [PAGE]
    assert pipe.is_fifo()
