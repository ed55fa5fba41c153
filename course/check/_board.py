"""What a trainer's board is told, on a hub that has one. Elsewhere nothing is sent: see course/hub/board.py.

The hub sets COURSE_BOARD (the board's address) and COURSE_BOARD_TOKEN (it opens the board as this learner,
and nothing else). A verdict is sent from a short thread of its own, so a cell never waits for a board, nor
fails with it. The exercise and the kind of verdict are sent; never the answer.
"""

from __future__ import annotations

import os
import threading
from collections import deque

SECONDS = 5  # how long one message may take; a board on the same machine answers in well under one

_waiting: deque[dict] = deque(maxlen=20)  # a board that hangs costs old messages, not memory
_lock = threading.Lock()
_sender: threading.Thread | None = None
_told = False
_last = ""  # the exercise checked last: a call for help is about that one unless it names another


def is_here() -> bool:
    """Whether this runs on a hub that has a board."""
    return bool(os.environ.get("COURSE_BOARD") and os.environ.get("COURSE_BOARD_TOKEN"))


def last_exercise() -> str:
    return _last


def report(exercise: str, status: str) -> str:
    """Tell the board of one verdict, and wait for nothing. Returns what the learner is told, once."""
    global _last, _sender, _told
    _last = exercise
    if not is_here():
        return ""
    with _lock:
        _waiting.append({"exercise": exercise, "verdict": status})
        if _sender is None or not _sender.is_alive():
            _sender = threading.Thread(target=_send_all, name="course-board", daemon=True)
            try:
                _sender.start()
            except RuntimeError:  # this person's limit of threads is reached: the lesson matters more
                _sender = None
    if _told:
        return ""
    _told = True
    # Cut by hand, as a badly written address must not stop a lesson.
    host = "/".join(os.environ.get("JUPYTERHUB_PUBLIC_HUB_URL", "").split("/", 3)[:3])
    page = f"{host}/{os.environ['COURSE_BOARD'].split('/', 3)[-1]}" + ("" if host else " on this hub")
    return f"Your trainer sees how many people have this right, not who: {page} says what is counted."


def send(path: str, message: dict) -> int:
    """Send one message and wait for the answer, an HTTP status. OSError or HTTPException if it fails."""
    import http.client
    import json
    from urllib.parse import urlsplit

    board = urlsplit(os.environ["COURSE_BOARD"])
    # http.client follows no redirect and asks no proxy, so the token goes to the board only.
    kind = http.client.HTTPSConnection if board.scheme == "https" else http.client.HTTPConnection
    connection = kind(board.hostname, board.port, timeout=SECONDS)
    headers = {
        "Authorization": f"token {os.environ['COURSE_BOARD_TOKEN']}",
        "Content-Type": "application/json",
    }
    try:
        connection.request("POST", f"{board.path}api/{path}", json.dumps(message), headers)
        return connection.getresponse().status
    finally:
        connection.close()


def _send_all() -> None:
    """Send what is waiting, oldest first, and end."""
    global _sender
    while True:
        with _lock:
            if not _waiting:
                _sender = None
                return
            message = _waiting.popleft()
        try:
            send("verdict", message)
        except Exception:  # no board, a slow one, a wrong address: none is the learner's concern
            continue
