/**
 * The Python side of the sandbox: runs a program as CPython runs a file, and says how it ended.
 *
 * What a program can leave behind in an interpreter that runs another after it (builtins, streams, limits,
 * the working folder) is put back before each program with new globals.
 *
 * @module
 */

/** Defines `_run` in Pyodide's globals; part of the snapshot, with what benchmarks' preambles import. */
export const RUNNER = String.raw`
def _make():
    import array, ast, asyncio, atexit, builtins, decimal, gc, importlib, io, os, sys, threading, time, traceback
    import signal, types, warnings, _thread
    import concurrent.futures.thread
    import bisect, collections, copy, dataclasses, datetime, fractions, functools, heapq, itertools, json
    import math, operator, queue, random, re, statistics, string, typing
    from importlib.machinery import PathFinder

    known = dict(vars(builtins))
    table = vars(builtins)
    sys.path.append("/lib/python-packages")
    path, filters = list(sys.path), list(warnings.filters)
    folder = os.getcwd()
    loads = json.loads
    exec_, compile_, streams = exec, compile, ("stdin", "stdout", "stderr")
    system = {
        name: getattr(sys, name)
        for name in ("excepthook", "displayhook", "unraisablehook", "exit", "setrecursionlimit")
    }
    # in the list of the standard library everywhere, but not on Linux
    windows = {"msvcrt", "nt", "winreg", "winsound", "_overlapped", "_winapi", "_wmi"}
    foreign = windows | {"_scproxy"}
    thread = {name: getattr(threading.Thread, name) for name in ("start", "join", "is_alive")}
    new = (_thread.start_new_thread, threading.stack_size)

    class Left(BaseException):
        """os._exit()"""

    def leave(code=0):
        raise Left(code)

    class Lacking(BaseException):
        """What CPython has and the sandbox has not."""

    lacked, depth, threads = None, 0, False

    def lack(what):
        nonlocal lacked
        lacked = lacked or "the sandbox has no " + what
        raise Lacking(lacked)

    def lacking(what):
        def call(*args, **kwargs):
            lack(what)
        return call

    set_handler, stat, wait_ = signal.signal, os.fstat, threading.Condition.wait
    timers = {getattr(signal, name, None) for name in ("SIGALRM", "SIGVTALRM", "SIGPROF")} - {None}
    processes = ("fork", "forkpty", "system", "posix_spawn", "posix_spawnp", "execv", "execve", "execvp", "execvpe",
                 "execl", "execle", "execlp", "execlpe", "spawnv", "spawnve", "spawnl", "spawnvp")
    waiting = "threads that wait for one another"
    stdin_size = 0

    def handler(number, function):
        if number in timers and callable(function):
            lack("signal.SIGALRM" if number == signal.SIGALRM else "timers")
        return set_handler(number, function)

    def alarm(seconds):
        return lack("signal.alarm") if seconds else 0

    def fstat(fd):
        found = stat(fd)
        if fd != 0 or found.st_size:
            return found
        return os.stat_result((0o100644, *found[1:6], stdin_size, *found[7:]))

    class Lock:
        """A lock of threads that run to their end where they start: one that is held stays so."""
        def __init__(self):
            self._held = False

        def acquire(self, blocking=True, timeout=-1):
            if not self._held:
                self._held = True
                return True
            if blocking and (threads or timeout < 0):
                lack(waiting if threads else "threads that could release a lock")
            return False

        def release(self):
            if not self._held:
                raise RuntimeError("release unlocked lock")
            self._held = False

        def locked(self):
            return self._held

        def __enter__(self):
            return self.acquire()

        def __exit__(self, *error):
            self.release()

    def wait(self, timeout=None):
        if not self._is_owned():
            raise RuntimeError("cannot wait on un-acquired lock")
        if depth or threads and timeout is None:
            lack(waiting)
        if timeout is None:
            return wait_(self)
        time.sleep(max(0, timeout))  # nobody is there to end it
        return False

    def submit(self, function, /, *args, **kwargs):
        """Work of a pool of threads, done where it is handed in."""
        nonlocal depth, threads
        if self._shutdown:
            raise RuntimeError("cannot schedule new futures after shutdown")
        future = concurrent.futures.Future()
        future.set_running_or_notify_cancel()
        depth, threads = depth + 1, True
        try:
            if not getattr(self, "_begun", False):
                self._begun = True
                begin = self._begin
                if begin:
                    begin[0](*begin[1])
            result = function(*args, **kwargs)
        except Lacking:
            raise
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(result)
        finally:
            depth -= 1
        return future

    Pool = concurrent.futures.thread.ThreadPoolExecutor
    make_pool = Pool.__init__

    def pool(self, max_workers=None, thread_name_prefix="", initializer=None, initargs=(), **more):
        make_pool(self, max_workers, thread_name_prefix, initializer, initargs, **more)
        self._begin = initializer and (initializer, initargs)

    replaced = [
        (signal, "signal", handler), (signal, "alarm", alarm), (signal, "ITIMER_REAL", 0),
        (signal, "setitimer", lacking("signal.setitimer")), (os, "fstat", fstat),
        (threading, "Lock", Lock), (threading.Condition, "wait", wait), (queue, "SimpleQueue", queue._PySimpleQueue),
        (Pool, "submit", submit), (Pool, "__init__", pool), *((os, name, lacking("os." + name)) for name in processes),
    ]

    def told(kind, error, tb):
        traceback.print_exception(kind, error, tb, file=sys.stderr)

    def call(function, args=(), kwargs={}):
        """A thread that runs to its end where it starts."""
        nonlocal depth, threads
        depth, threads = depth + 1, True
        try:
            function(*args, **kwargs)
        except SystemExit:
            pass
        except Exception:
            told(*sys.exc_info())
        finally:
            depth -= 1
        return threading.get_ident()

    def start(self):
        if self._started.is_set():
            raise RuntimeError("threads can only be started once")
        self._started.set()
        call(self.run)

    def join(self, timeout=None):
        if not self._started.is_set():
            raise RuntimeError("cannot join thread before it is started")

    def inline(on):
        for name, own in (("start", start), ("join", join), ("is_alive", lambda self: False)):
            setattr(threading.Thread, name, own if on else thread[name])
        _thread.start_new_thread = call if on else new[0]
        threading.stack_size = (lambda size=0: 0) if on else new[1]

    class Selector:
        def select(self, timeout=None):
            if timeout:
                time.sleep(timeout)
            return []

    class Loop(asyncio.BaseEventLoop):
        """An event loop of timers and coroutines: there are no sockets."""
        def __init__(self):
            super().__init__()
            self._selector = Selector()

        def _process_events(self, events):
            pass

        def _write_to_self(self):
            pass

    def run_async(main, *, debug=None, loop_factory=None):
        with asyncio.Runner(debug=debug, loop_factory=loop_factory or Loop) as runner:
            return runner.run(main)

    asyncio.run = run_async

    class Array(array.array):
        """Items of "l" have 8 bytes on Linux, and 4 in WebAssembly."""
        def __new__(cls, typecode, *initial):
            return super().__new__(cls, {"l": "q", "L": "Q"}.get(typecode, typecode), *initial)

    Array.__name__ = Array.__qualname__ = "array"
    array.array = Array

    def reset():
        nonlocal depth, threads
        depth, threads = 0, False
        for owner, name, value in replaced:
            setattr(owner, name, value)
        table.clear()
        table.update(known)
        for name, value in system.items():
            setattr(sys, name, value)
        sys.setrecursionlimit(1000)
        sys.maxsize = 2**63 - 1  # as an infinity, it is that of Linux
        sys.settrace(None)
        sys.argv[:] = ["solution.py"]
        sys.path[:] = path
        warnings.filters[:] = filters
        decimal.setcontext(decimal.Context(prec=28, rounding=decimal.ROUND_HALF_EVEN))
        os.chdir(folder)
        os._exit = leave
        gc.enable()
        atexit._clear()
        asyncio._set_running_loop(None)

    def connect():
        for fd, name in enumerate(streams):
            mode = "r" if fd == 0 else "w"
            try:
                stat(fd)
            except OSError:
                other = os.open("/dev/" + name, os.O_RDONLY if fd == 0 else os.O_WRONLY)
                if other != fd:
                    os.dup2(other, fd)
            stream = open(fd, mode, encoding="utf-8", closefd=False, newline="\n",
                          errors="backslashreplace" if fd == 2 else "strict")
            setattr(sys, name, stream)
            setattr(sys, "__" + name + "__", stream)

    def flush():
        for name in streams[1:]:
            for stream in (getattr(sys, name, None), getattr(sys, "__" + name + "__", None)):
                try:
                    stream.flush()
                except BaseException:
                    pass

    begins = re.compile(
        r"(?:async[ \t]+)?def[ \t]+\w+[ \t]*\(|class[ \t]+\w+[ \t]*[(:]|from[ \t]+[\w.]+[ \t]+import[ \t]|@\w"
        r"|import[ \t]+[\w.]+(?:[ \t]+as[ \t]+\w+)?[ \t]*(?:,.*)?$")

    def compiles(code):
        try:
            compile_(code, "solution.py", "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            return error
        return None

    def ends(error, lines):
        """Whether an error is that of a text that is cut at its end."""
        if type(error) is not SyntaxError:
            return isinstance(error, IndentationError) and "expected an indented block" in error.msg
        last = max((i for i, line in enumerate(lines, 1) if line.strip()), default=0)
        return (error.lineno or 0) >= last or re.search("never closed|unterminated", error.msg) is not None

    def longest(code, names, cut):
        """The code, or its longest part that compiles: up to an unindented line, else after lines of prose."""
        def defined(text):
            return {name for name in names if re.search(
                r"^(?:(?:async[ \t]+)?(?:def|class)[ \t]+" + name + r"\b|" + name + r"[ \t]*=)", text, re.M)}

        def beginning(lines, error):
            deep = cut and ends(error, lines)
            cuts = [i for i, line in enumerate(lines) if i and line.strip() and (deep or not line[0].isspace())]
            wanted = bool(defined("".join(lines)))
            for i in cuts[:-100:-1]:
                kept = "".join(lines[:i])
                if (not wanted or defined(kept)) and compiles(kept) is None:
                    return kept

        lines = code.splitlines(True)
        first = next((i for i, line in enumerate(lines) if line.strip()), 0)
        word = first < len(lines) and re.fullmatch(r"[A-Za-z]+[.:!,]?\s*", lines[first]) and not lines[first].strip() in ("pass",)
        error = compiles(code)
        if error is None and not (names and word):
            return code
        if isinstance(error, ValueError):
            return code
        found = beginning(lines, error) if error is not None else None
        if found is not None and not (names and word):
            return found
        at = next((i for i, line in enumerate(lines) if begins.match(line)), 0)
        if names and at:  # prose before
            rest = lines[at:]
            other = compiles("".join(rest))
            return "".join(rest) if other is None else beginning(rest, other) or code
        return found or code

    def lacks(error):
        """Name of the module that is not there, and whether CPython has it."""
        top = (error.name or "").partition(".")[0]
        if not top or top in sys.builtin_module_names or PathFinder.find_spec(top):
            return None
        return top, top in sys.stdlib_module_names and top not in foreign

    space = {}

    def run(request, size):
        nonlocal space, lacked, stdin_size
        lacked, stdin_size = None, size
        (code, preamble, name, fresh, program, prefix, names, cut) = map(loads(request).get, (
            "code", "preamble", "name", "fresh", "program", "prefix", "defines", "cut"))
        if fresh:
            reset()
            module = types.ModuleType(name)
            sys.modules[name] = module
            space = vars(module)
            space["__builtins__"] = builtins
        connect()
        inline(program)
        kind = error = status = missing = None
        ended = False
        try:
            if preamble:
                exec_(compile_(preamble, "preamble.py", "exec", dont_inherit=True), space)
            code = code.removeprefix("\ufeff")
            if prefix:
                code = longest(code, names, cut)
            exec_(compile_(code, "solution.py", "exec", dont_inherit=True), space)
        except SystemExit as leaving:
            status = leaving.code
        except Left as leaving:
            status = leaving.args[0]
        except BaseException as caught:
            table.update(known)
            kind = type(caught).__name__
            error = traceback.format_exception_only(caught)[-1].strip()
            if isinstance(caught, ModuleNotFoundError):
                missing = lacks(caught)
                error = error if missing is None else "ModuleNotFoundError: No module named " + repr(missing[0])
        else:
            ended = True
        if program:
            try:
                atexit._run_exitfuncs()
            except BaseException:
                pass
        if kind is None and not ended:
            if status is None:
                status = 0
            elif not isinstance(status, int):
                call(lambda: print(status, file=sys.stderr))
                status = 1
            status = int(status) & 255
            kind = "SystemExit"
        flush()
        table.update(known)
        if lacked is not None:
            kind, error, status, missing = "Lacking", lacked, None, None
        return kind, error, status, missing

    return run

_run = _make()
del _make
`;
