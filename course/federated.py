"""Three secure rooms: an analysis goes to the data, and only checked answers come back.

Each room is a process of its own that reads its own table and no other. Questions and answers travel as
messages of Flower (flwr), an engine for federated analysis, through its hub (the SuperLink), on this
computer only. A room knows six functions and answers nothing else. Its rules are applied in the room, before
an answer is sent: politeness of the one who asks is not needed.

    prepare(folder, {"London": (table, schema), ...})
    with Federation(folder) as rooms:
        rooms.ask("table", by=["sex"])             # {"London": Answer, ...}

Read from the top: the room and its rules; the process that runs a room; the analyst's end.

What is Flower's: the hub, the messages, the signed connection of each room, the routing to a room's
functions. What is ours: the rules, and the loop that takes a message to a function. Flower's own node program
(`flower-supernode`) starts a new Python for each message and looks for work every three seconds; the loop
here keeps one process and looks more often. Connections are not encrypted, since they stay on this computer;
between real secure rooms they must be.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from course.data import DataError, Schema

# What a room may be asked. There is no function for rows, so no question can bring them.
FUNCTIONS = ("dictionary", "synthetic", "table", "total", "step", "log")
MOST_CELLS = 200  # in one answer
TWIN_ROWS = 500  # of the synthetic table on which an analysis is tried


@dataclass(frozen=True)
class Rules:
    """What a room lets out. The first four are ACRO's defaults, the fifth is DataSHIELD's.

    threshold  people behind each count, total, or 0/1 column of a model, at least; zeros are withheld too
    freedom    people less parameters of a model, at least
    p_ratio    of a total, at least (course.measure.output)
    nk         share of the two largest in a total, less than this
    share      parameters of a model, as a share of the people, at most
    rounding   of counts that are to be rounded
    differ     people between an answer and one given before, where one group holds the other: none, or this
    worse      deviance of a model, at most this many times that of tossing a coin; our own rule
    """

    threshold: int = 10
    freedom: int = 10
    p_ratio: float = 0.1
    nk: float = 0.9
    share: float = 0.33
    rounding: int = 5
    differ: int = 10
    worse: float = 1.1


class RefusalError(Exception):
    """The room does not answer. The message says which rule is why, and holds nothing from the rows."""


class Room:
    """One secure room: a table, its description, its rules, and the log of what it has let out."""

    def __init__(self, name: str, table, schema: Schema, rules: Rules | None = None):
        self.name, self.schema, self.rules = name, schema, rules or Rules()
        self.rows = self.seen = table.reset_index(drop=True)  # as they are, and as this question recodes them
        self.groups_given, self.asked = [], []

    @classmethod
    def open(cls, folder: Path) -> Room:
        """The room that `prepare` put into a folder."""
        import pandas as pd

        from course.data import typed

        told = json.loads((Path(folder) / "room.json").read_text(encoding="utf-8"))
        schema = Schema.from_resource(told["resource"])
        table = pd.read_csv(Path(folder) / "table.csv", dtype=str, keep_default_na=False, na_values=[""])
        return cls(told["name"], typed(table, schema), schema, Rules(**told["rules"]))

    def answer(self, function: str, on: str = "real", recode: dict | None = None, **arguments) -> dict:
        """The one door. Returns the function's answer, or {"refused": the reason}; both go into the log.

        `on` is "real", or "synthetic" for a trial on made-up rows, which has a log of its own. `recode` maps
        codes of this room to agreed ones, {column: {code here: agreed code}}.
        """
        if on == "synthetic":
            return self.twin.answer(function, "real", recode, **arguments)
        given, before = {}, len(self.groups_given)
        try:
            if function not in FUNCTIONS:
                raise RefusalError(
                    f"There is no function {function!r} here. There are: {', '.join(FUNCTIONS)}."
                )
            self.seen = self._recoded(recode or {})
            given = getattr(self, function)(**arguments)
        except RefusalError as reason:
            given = {"refused": str(reason)}
        except TypeError:
            given = {"refused": f"The function {function!r} was not given what it takes."}
        finally:
            refused = given.get("refused", "" if given else "fault")
            if refused:
                del self.groups_given[before:]  # nothing was given
            self.asked.append({"function": function, **arguments, "refused": refused})
        return given

    @functools.cached_property
    def twin(self) -> Room:
        """A room like this one with made-up rows, from the description alone. Its answers tell nobody's."""
        from course import generate

        seed = sum(self.name.encode())  # each room draws its own
        made = generate.fit("valid", None, self.schema).sample(TWIN_ROWS, seed=seed)
        return Room(self.name, made, self.schema, self.rules)

    # The six functions.

    def dictionary(self) -> dict:
        """What each column means and which codes it has, and the rules of the room."""
        return {"fields": list(self.schema.fields), "rules": asdict(self.rules)}

    def synthetic(self) -> dict:
        """Made-up rows for writing and trying an analysis: from the description, no real row is read."""
        return {"rows": json.loads(self.twin.rows.to_json(orient="records"))}

    def log(self) -> dict:
        """What was asked of this room, in order, and what was refused."""
        return {"asked": self.asked[:-1]}

    def table(self, by: list, where: dict | None = None, rounded: bool = False) -> dict:
        """Counts of each combination of codes of `by`; of everybody for []. Withheld counts are None.

        `where` narrows the people, {column: code} or {column: [lowest, highest]}. `rounded` rounds what is
        given. All combinations are listed: one that is left out would say that nobody is there.
        """
        cells, withheld = [], {"small": 0, "difference": 0}
        for cell, people in self._cells(by, where):
            why = self._withhold(people)
            count = int(people.sum())
            if rounded:
                count = int(count / self.rules.rounding + 0.5) * self.rules.rounding
            if why:
                withheld[why] += 1
            cells.append({**cell, "count": None if why else count})
        return self._unless_empty({"cells": cells, "withheld": withheld}, "count")

    def total(self, value: str, by: list, where: dict | None = None) -> dict:
        """Count and sum of a column for each combination of codes of `by`: enough for a mean anywhere."""
        if "=" in value or self.schema.categories(value):
            raise RefusalError(
                f"{value!r} is a code, and a sum of codes is a count in disguise: ask `table`."
            )
        numbers = self._number(value)
        cells, withheld = [], {"small": 0, "difference": 0, "dominance": 0}
        for cell, people in self._cells(by, where):
            why = self._withhold(people)
            shares = numbers[people]
            why = why or ("dominance" if self._dominated(shares) else "")
            if why:
                withheld[why] += 1
            told = (None, None) if why else (int(people.sum()), float(shares.sum()))
            cells.append({**cell, "count": told[0], "total": told[1]})
        return self._unless_empty({"cells": cells, "withheld": withheld}, "count")

    def step(self, outcome: str, predictors: list, beta: list) -> dict:
        """One step of a logistic regression: its gradient and information at `beta`, summed over the people.

        `outcome` and each predictor is a column of numbers, or "column=code" for 1 where it holds. The
        intercept comes first. Newton's step is solve(information, gradient), of the sums over all rooms.
        """
        import numpy as np

        y = self._number(outcome)
        X = np.column_stack([np.ones(len(y)), *(self._number(name) for name in predictors)])
        self._check_model(X, y, predictors)
        beta = _numbers(beta, X.shape[1])
        reach = X @ beta
        deviance = 2 * float(np.sum(np.logaddexp(0, reach) - y * reach))
        if deviance > self.rules.worse * 2 * np.log(2) * len(y):
            raise RefusalError(
                "At this `beta` the model is worse than a coin: it aims at people, and fits none."
            )
        chance = np.exp(-np.logaddexp(0, -reach))
        information = (X * (chance * (1 - chance))[:, None]).T @ X
        return {
            "people": len(y),
            "gradient": (X.T @ (y - chance)).tolist(),
            "information": information.tolist(),
            "deviance": deviance,
        }

    # What the functions check.

    def _check_model(self, X, y, predictors: list) -> None:
        people, parameters = X.shape
        if parameters > self.rules.share * people:
            raise RefusalError(
                f"{parameters} parameters are more than {self.rules.share} of the people in this room."
            )
        if people - parameters < self.rules.freedom:
            raise RefusalError(
                f"People less parameters is below {self.rules.freedom}: the model would be the data."
            )
        if not set(y) <= {0, 1}:
            raise RefusalError("The outcome must be 0 or 1, such as column=code.")
        columns = dict(zip(predictors, X.T[1:], strict=True))
        numbers = {name: column for name, column in columns.items() if not set(column) <= {0, 1}}
        groups = {"the outcome": y == 1}
        groups |= {name: column == 1 for name, column in columns.items() if name not in numbers}
        few = f"fewer than {self.rules.threshold} people"
        for name, people in groups.items():
            if self._withhold(people) or self._withhold(~people):
                raise RefusalError(f"{name} splits off {few}, alone or with an earlier answer.")
            for number, values in numbers.items():
                if self._dominated(values[people]) or self._dominated(values[~people]):
                    raise RefusalError(f"Two people have nearly all {number} of a group of {name}.")
        # The sums of a step hold the count of every pair, and so the table of the two.
        for one, other in itertools.combinations(groups, 2):
            if one.partition("=")[0] != other.partition("=")[0]:
                pairs = [(groups[one] == a) & (groups[other] == b) for a in (0, 1) for b in (0, 1)]
                if min(pair.sum() for pair in pairs) < self.rules.threshold:
                    raise RefusalError(f"{one} and {other} together split off {few}.")

    def _withhold(self, people) -> str:
        """Why a group's figure stays here: "small", "difference", or "" where it may go and is remembered.

        Differencing is checked two groups at a time: one that holds another given before, or lies in it,
        with a few people between them. Three answers that together leave a few are not seen.
        """
        import numpy as np

        if people.sum() < self.rules.threshold:
            return "small"
        if self.groups_given:
            given = np.array(self.groups_given)
            sizes, shared = given.sum(axis=1), (given & people).sum(axis=1)
            nested = shared == np.minimum(sizes, people.sum())
            between = np.abs(sizes - people.sum())
            if (nested & (between > 0) & (between < self.rules.differ)).any():
                return "difference"
            if (nested & (between == 0)).any():
                return ""  # remembered already
        self.groups_given.append(people)
        return ""

    def _dominated(self, values) -> bool:
        from course.measure import output

        values = abs(values)  # the rules are for values of 0 or more
        return output.p_ratio(values) < self.rules.p_ratio or output.nk(values) >= self.rules.nk

    def _unless_empty(self, answer: dict, figure: str) -> dict:
        if all(cell[figure] is None for cell in answer["cells"]):
            why = ", ".join(f"{name} {many}" for name, many in answer["withheld"].items() if many)
            raise RefusalError(f"Nothing is left to give: {why}. Ask about larger groups.")
        return answer

    def _cells(self, by: list, where: dict | None):
        """Each combination of codes, with who is in it."""
        import numpy as np

        inside = self._people(where or {})
        codes = [self._codes(column) for column in by]
        many = np.prod([len(each) for each in codes], dtype=int)
        if many > MOST_CELLS:
            raise RefusalError(f"That is {many} cells; a room answers at most {MOST_CELLS} at a time.")
        for combination in itertools.product(*codes):
            people = inside.copy()
            for column, code in zip(by, combination, strict=True):
                people &= (self.seen[column].astype(str) == code).to_numpy()
            yield dict(zip(by, combination, strict=True)), people

    def _people(self, where: dict):
        import numpy as np

        inside = np.ones(len(self.seen), dtype=bool)
        for column, wanted in where.items():
            if isinstance(wanted, list):
                numbers = self._number(column)
                inside &= (numbers >= wanted[0]) & (numbers <= wanted[1])
            else:
                self._known_code(column, wanted)
                inside &= (self.seen[column].astype(str) == wanted).to_numpy()
        return inside

    def _number(self, name: str):
        """A column as numbers, or 1 and 0 for "column=code"."""
        column, is_code, code = name.partition("=")
        if is_code:
            self._known_code(column, code)
            return (self.seen[column].astype(str) == code).to_numpy(float)
        if self._field(column)["type"] not in ("integer", "number"):
            raise RefusalError(
                f"{column!r} is not a column of numbers; write {column}=code for one of its codes."
            )
        return self.seen[column].to_numpy(float)

    def _codes(self, column: str) -> list[str]:
        self._field(column)
        codes = [str(code) for code in self.schema.categories(column)]
        if not codes:
            raise RefusalError(f"{column!r} has no code list, so it cannot be counted by value.")
        return list(dict.fromkeys(str(self.recode.get(column, {}).get(code, code)) for code in codes))

    def _known_code(self, column: str, code: str) -> None:
        if code not in self._codes(column):
            raise RefusalError(
                f"{column!r} has no code {code!r} here; it has {', '.join(self._codes(column))}."
            )

    def _field(self, column: str) -> dict:
        try:
            return self.schema.field(column)
        except KeyError:
            known = ", ".join(self.schema.columns)
            raise RefusalError(f"There is no column {column!r}. There are: {known}.") from None

    def _recoded(self, recode: dict):
        """The table with this room's codes replaced by agreed ones. Numbers may only change places.

        Free numbers for codes would let a sum carry any count: a million for one code, 0 for the others.
        """
        import pandas as pd

        self.recode, seen = recode, self.rows
        for column, codes in recode.items():
            numbers = self._field(column)["type"] == "integer"
            known = [str(code) for code in self.schema.categories(column)]
            if numbers and (
                sorted(codes) != sorted(map(str, codes.values())) or not set(codes) <= set(known)
            ):
                raise RefusalError(f"The codes of {column!r} are numbers, so they may only change places.")
            values = self.rows[column].astype(str).map(lambda code, to=codes: str(to.get(code, code)))
            seen = seen.assign(**{column: pd.to_numeric(values) if numbers else values})
        return seen


def _numbers(beta, many: int):
    import numpy as np

    try:
        beta = np.asarray(beta, dtype=float)
    except (TypeError, ValueError):
        beta = np.array([np.nan])
    if beta.shape != (many,) or not np.isfinite(beta).all():
        raise RefusalError(f"`beta` must be {many} numbers: the intercept, then one for each predictor.")
    return beta


def prepare(folder: Path | str, tables: dict, rules: Rules | None = None) -> None:
    """Put each room's table and description into a folder of its own. `tables`: {name: (table, schema)}.

    Raises DataError where a room is there already.
    """
    for name, (table, schema) in tables.items():
        room = Path(folder) / name
        if room.exists():
            raise DataError(f"There is a room {name!r} in {folder} already: choose an empty folder.")
        room.mkdir(parents=True)
        table[schema.columns].to_csv(room / "table.csv", index=False)
        resource = {"name": schema.name, "schema": {"fields": list(schema.fields)}}
        told = {"name": name, "rules": asdict(rules or Rules()), "resource": resource}
        (room / "room.json").write_text(json.dumps(told), encoding="utf-8")


# The processes: Flower's hub, and one for each room. Each ends when the process that started it ends.


def _end_with_parent() -> None:
    """Ends this process once its input is closed, as it is when the parent stops, however it stops."""

    def wait():
        sys.stdin.buffer.read()
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


def _run_hub(port: str) -> None:
    _end_with_parent()
    sys.argv = ["flower-superlink", "--insecure", "--isolation", "process", "--host", "127.0.0.1"]
    sys.argv += ["--port", port, "--disable-runtime-dependency-installation"]
    from flwr.superlink.cli import flower_superlink

    flower_superlink()


def _run_room(folder: str, port: str) -> None:
    """Opens a room, waits for the word that the hub is there, and answers until it is stopped."""
    from flwr.supernode.fleet_http_connection import http_request_response

    room = Room.open(Path(folder))
    app = _app(room)
    sys.stdin.buffer.readline()
    _end_with_parent()
    with http_request_response(f"127.0.0.1:{port}", insecure=True, max_wait_time=30) as connection:
        node, receive, send, _, _, pull, push, confirm = connection
        print(node, flush=True)
        last = time.monotonic()
        while True:
            found = receive()
            if found is None:  # look often while there is work, seldom when there is none
                time.sleep(0.05 if time.monotonic() - last < 1 else 0.3)
                continue
            _send(_answered(app, _received(*found, pull, confirm), room.name), send, push)
            last = time.monotonic()


def _app(room: Room):
    """The room as a Flower ClientApp: one registered query for each of its functions, and no other."""
    from flwr.app import ConfigRecord, Message, RecordDict
    from flwr.clientapp import ClientApp

    app = ClientApp()
    for function in FUNCTIONS:

        def answered(message, context, function=function):
            question = json.loads(message.content["question"]["json"])
            given = json.dumps(room.answer(function, **question))
            return Message(RecordDict({"answer": ConfigRecord({"json": given})}), reply_to=message)

        app.query(function)(answered)
    return app


def _answered(app, message, name: str):
    """The reply to a message. An error's own words stay in the room: they can hold values of a row."""
    from flwr.app import Context, Error, Message, RecordDict

    function = message.metadata.message_type.partition(".")[2]
    try:
        if function not in FUNCTIONS:
            reason = f"There is no function {function!r} in this room. There are: {', '.join(FUNCTIONS)}."
        else:
            reason = "The question failed in this room. It does not say how, as that could tell of a row."
            context = Context(message.metadata.run_id, 0, {"room": name}, RecordDict(), {})
            return app(message, context)
    except Exception as fault:  # whatever a question breaks, the room stays open
        print(repr(fault), file=sys.stderr, flush=True)
    return Message(Error(code=0, reason=reason), reply_to=message)


def _received(message, tree, pull, confirm):
    """A message with its content, which Flower keeps apart from the envelope."""
    from flwr.supercore.inflatable.inflatable_object import iterate_object_tree
    from flwr.supercore.inflatable.inflatable_utils import inflate_object_from_contents, pull_objects

    run, name = message.metadata.run_id, message.metadata.message_id
    parts = pull_objects(
        [part.object_id for part in iterate_object_tree(tree)],
        pull_object_fn=lambda part: pull(run, part),
    )
    confirm(run, name)
    message = inflate_object_from_contents(name, parts)
    message.metadata.__dict__["_message_id"] = name
    return message


def _send(reply, send, push) -> None:
    from flwr.supercore.inflatable.inflatable_object import get_all_nested_objects, get_object_tree
    from flwr.supercore.inflatable.inflatable_utils import push_objects

    reply.metadata.__dict__["_message_id"] = reply.object_id
    wanted, session = send(reply, get_object_tree(reply), 0.0)
    push_objects(
        get_all_nested_objects(reply),
        push_object_fn=lambda part, content: push(reply.metadata.run_id, session, part, content),
        object_ids_to_push=wanted,
    )


# The analyst's end.


@dataclass(frozen=True)
class Answer:
    """What one room said: a value, or why there is none. `missing` tells silence from a refusal."""

    room: str
    value: dict | None = None
    refused: str = ""
    missing: bool = False


class Federation:
    """The rooms of a folder, each as a process, and the hub between them and you.

    Starts on making; `close` stops all of it, as do the end of a `with` block and the end of Python.
    `seconds` is how long the start took. Raises DataError, in one sentence, where something does not start.
    """

    def __init__(self, folder: Path | str):
        began = time.monotonic()
        folders = sorted(path.parent for path in Path(folder).glob("*/room.json"))
        if not folders:
            raise DataError(f"There is no room in {folder}: put some there with `prepare`.")
        self.home = tempfile.TemporaryDirectory(prefix="rooms-", ignore_cleanup_errors=True)
        self.hub, self.rooms, self.nodes, self.grid = None, {}, {}, None
        self.closed = threading.Event()
        atexit.register(self.close)
        try:
            _keep_to_this_computer(self.home.name)
            self.port = _free_port()
            self.hub = self._start("hub", "hub", str(self.port))
            for path in folders:
                self.rooms[path.name] = self._start(path.name, "room", str(path), str(self.port))
            self._wait_for_hub()
            for room in self.rooms.values():
                with contextlib.suppress(OSError):  # it has ended already: what it said is read below
                    room.stdin.write(b"the hub is there\n")
            self._open_grid()
            for name, room in self.rooms.items():
                node = room.stdout.readline()
                if not node:
                    raise DataError(f"The room {name!r} did not open: {self._last_words(name)}")
                self.nodes[name] = int(node)
        except BaseException:
            self.close()
            raise
        self.seconds = time.monotonic() - began

    def __enter__(self) -> Federation:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def ask(
        self,
        function: str,
        rooms: list | None = None,
        each: dict | None = None,
        wait: float = 30,
        **question,
    ) -> dict[str, Answer]:
        """Put a question to each room, or to some, and return {room: Answer}.

        `question` is what the function takes (see `Room`); `each` adds what only one room is told, {room:
        {"recode": ...}}. A room that has ended, or says nothing for `wait` seconds, is missing. Raises
        DataError for an unknown room, and once closed.
        """
        import httpx
        from flwr.app import ConfigRecord, Message, RecordDict

        if self.closed.is_set() or self.hub.poll() is not None:
            raise DataError("The rooms are closed: open them again with `Federation(folder)`.")
        asked = list(self.rooms) if rooms is None else list(rooms)
        unknown = [name for name in (*asked, *(each or {})) if name not in self.rooms]
        if unknown:
            raise DataError(f"There is no room {unknown[0]!r}; there are {', '.join(self.rooms)}.")
        self._identify()
        messages = []
        for name in asked:
            text = json.dumps({**question, **(each or {}).get(name, {})})
            content = RecordDict({"question": ConfigRecord({"json": text})})
            messages.append(Message(content, self.nodes[name], f"query.{function}"))
        try:
            sent = dict(zip(self.grid.push_messages(messages), asked, strict=True))
            return self._collected(sent, asked, wait)
        except (httpx.HTTPError, RuntimeError) as error:
            self.close()
            raise DataError("The hub was lost, and the rooms are closed: open them again.") from error

    def _collected(self, sent: dict, asked: list, wait: float) -> dict[str, Answer]:
        found, until = {}, time.monotonic() + wait
        while len(found) < len(asked) and time.monotonic() < until:
            waiting = [message for message, name in sent.items() if name not in found]
            for reply in self.grid.pull_messages(waiting):
                name = sent[reply.metadata.reply_to_message_id]
                found[name] = _read(name, reply)
            for name in set(asked) - set(found):
                if self.rooms[name].poll() is not None:
                    found[name] = Answer(name, refused=f"{name} has ended.", missing=True)
            time.sleep(0.05)
        silent = f"no answer within {wait:g} seconds."
        return {name: found.get(name, Answer(name, refused=silent, missing=True)) for name in asked}

    def close(self) -> None:
        """Stop every process and remove their files. Does nothing the second time."""
        self.closed.set()
        if self.grid is not None:
            self.grid.close()
            self.grid = None
        started = [process for process in (*self.rooms.values(), self.hub) if process is not None]
        for process in started:
            process.kill()
        for process in started:
            process.wait()
            for pipe in filter(None, (process.stdin, process.stdout)):
                pipe.close()
        self.home.cleanup()
        atexit.unregister(self.close)

    # Starting.

    def _start(self, name: str, *words: str):
        """One process. It has a group of its own, so that interrupting a cell does not interrupt it."""
        root = str(Path(__file__).resolve().parent.parent)
        path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
        with (Path(self.home.name) / f"{name}.txt").open("wb") as words_of_it:
            return subprocess.Popen(
                [sys.executable, "-m", "course.federated", *words],
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if words[0] == "room" else words_of_it,
                stderr=words_of_it,
                env={**os.environ, "PYTHONPATH": path},
                start_new_session=True,
            )

    def _wait_for_hub(self, wait: float = 60) -> None:
        import httpx

        until = time.monotonic() + wait
        while time.monotonic() < until and self.hub.poll() is None:
            try:
                if httpx.get(f"http://127.0.0.1:{self.port}/health", trust_env=False).is_success:
                    return
            except httpx.HTTPError:
                time.sleep(0.1)
        raise DataError(f"The hub did not start: {self._last_words('hub')}")

    def _last_words(self, name: str) -> str:
        said = (Path(self.home.name) / f"{name}.txt").read_text(encoding="utf-8", errors="replace")
        return (said.strip().splitlines() or ["it said nothing."])[-1]

    def _open_grid(self) -> None:
        """Start a run at the hub and take the analyst's place in it.

        Flower sends a run as a bundle of code. Here the rooms hold their code already, as they should: the
        bundle is empty.
        """
        import hashlib

        from flwr.cli.build import build_fab_from_files
        from flwr.common.serde import fab_to_proto, run_from_proto
        from flwr.proto.control_pb2 import StartRunRequest
        from flwr.proto.runtime_pb2 import AcquireTaskRequest, PullTaskInputRequest
        from flwr.supercore.constant import TaskType
        from flwr.supercore.control.control_http_client import ControlHttpClient
        from flwr.supercore.fab import Fab
        from flwr.supercore.interceptors import RuntimeVersionHttpInterceptor
        from flwr.supercore.runtime import RuntimeHttpClient
        from flwr.superlink.grid import HttpGrid

        where = (f"127.0.0.1:{self.port}", True, None)
        bundle = build_fab_from_files(_EMPTY_BUNDLE)[0]
        bundle = fab_to_proto(Fab(hashlib.sha256(bundle).hexdigest(), bundle, {}))
        version = [RuntimeVersionHttpInterceptor(component_name="flwr")]
        with ControlHttpClient.from_server_address(*where, interceptors=version) as control:
            control.StartRun(StartRunRequest(fab=bundle))
        with RuntimeHttpClient.from_server_address(*where, interceptors=version) as runtime:
            task = runtime.AcquireTask(AcquireTaskRequest(supported_task_types=[TaskType.SERVER_APP]))
        self.grid = HttpGrid(*where, token=task.token)
        self.run = self.grid._runtime_client.PullTaskInput(PullTaskInputRequest())
        self.grid.set_run(run_from_proto(self.run.run))
        self.grid._retry_invoker.max_time = 20
        threading.Thread(target=self._stay, args=[self.grid._runtime_client], daemon=True).start()

    def _stay(self, hub) -> None:
        """Tells the hub now and then that the analyst is there, or it would end the run.

        Flower's own sender interrupts this process when the hub has ended the run, as after a sleep of the
        computer; here the next question says so.
        """
        from flwr.proto.runtime_pb2 import SendTaskHeartbeatRequest

        while not self.closed.wait(10):
            try:
                hub.SendTaskHeartbeat(SendTaskHeartbeatRequest())
            except Exception:  # the hub is gone, or this connection is: the next question says so
                return

    def _identify(self) -> None:
        """Flower keeps, once for each process, in whose name messages are written."""
        from flwr.supercore.task_identity import TaskIdentity

        TaskIdentity.task_id, TaskIdentity.run_id = self.run.task_id, self.run.run.run_id
        TaskIdentity.node_id = self.run.context.node_id


_EMPTY_BUNDLE = {
    "pyproject.toml": b'[project]\nname = "rooms"\nversion = "1.0.0"\n[tool.flwr.app]\npublisher = "course"\n'
    b'[tool.flwr.app.components]\nserverapp = "rooms.none:app"\nclientapp = "rooms.none:app"\n',
    "rooms/__init__.py": b"",
    "rooms/none.py": b"app = None\n",
}


def _read(name: str, reply) -> Answer:
    if reply.has_error():
        return Answer(name, refused=reply.error.reason)
    value = json.loads(reply.content["answer"]["json"])
    return Answer(name, refused=value["refused"]) if "refused" in value else Answer(name, value)


def _keep_to_this_computer(home: str) -> None:
    """No usage figures, no look for updates, no proxy for our own address, files in a folder of our own.

    Flower reads these when it is imported, so this comes before. The processes inherit them.
    """
    import logging

    os.environ.update(FLWR_TELEMETRY_ENABLED="0", FLWR_DISABLE_UPDATE_CHECK="1", FLWR_HOME=home)
    for name in ("NO_PROXY", "no_proxy"):
        known = os.environ.get(name, "")
        if "127.0.0.1" not in known:
            os.environ[name] = f"{known},127.0.0.1" if known else "127.0.0.1"
    logging.getLogger("flwr").setLevel(logging.ERROR)


def _free_port() -> int:
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


if __name__ == "__main__":
    {"hub": _run_hub, "room": _run_room}[sys.argv[1]](*sys.argv[2:])
