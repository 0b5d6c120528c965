"""First code that runs in laidian.pyz (there it is `__main__.py`): unpacks the archive once, then starts laidian.cli.

Native libraries cannot be loaded from inside a zip, so the files of this Python and machine are written to a folder of the
user's cache, compiled, and used from there by every later start. Owns that folder and nothing else: no option, no
setting of the program is read here, except LAIDIAN_CACHE.

Rules. This file must PARSE on Python 2.7 and 3.6 (no f-string, no annotation), so that an old Python answers with a sentence, not
a traceback. Every later start pays for what is imported at the top: keep zipfile and lzma inside the first run. The
cache is code that will be executed: a folder that another user could write is never used.

A folder <cache>/<version>-<build>-<target> is complete once it exists (it is renamed into place). A running process
holds a shared lock on <cache>/<same name>.lock; whoever unpacks a new build removes the folders of others that nobody holds.
Worker processes need nothing: fork inherits sys.path, spawn and forkserver hand it over before anything is imported
(multiprocessing.spawn.get_preparation_data).
"""

import os
import sys


def fail(sentence):
    sys.stderr.write("laidian: " + sentence + "\n")
    sys.exit(1)


if sys.version_info < (3, 11):
    fail(
        "this file needs Python 3.11 or newer, and %s is Python %d.%d. Start it with a newer one, for example: "
        "python3.11 %s" % (sys.executable or "this", sys.version_info[0], sys.version_info[1], sys.argv[0])
    )

import json

ARCHIVE = os.path.dirname(os.path.abspath(__file__))
HELD = []
"""Open lock files; the operating system lets go of them when this process ends, however it ends."""

NOT_COMPILED = ("pygments/lexers/", "pygments/styles/", "tzdata/", "litestar/plugins/", "litestar/contrib/")
"""Folders of many files of which a run imports few; these few are compiled when they are imported first."""


def read(name):
    return __loader__.get_data(name)  # the zip importer that found this file


def this_target(about):
    """The name of this Python's target, or a sentence and exit 1 if the archive has nothing for it."""
    import platform

    python = "%s %d.%d" % ((platform.python_implementation(),) + sys.version_info[:2])
    if not sys.platform.startswith("linux"):
        fail("this file runs on Linux only, and this is %s. Elsewhere, run it in a container." % sys.platform)
    if sys.implementation.name != "cpython" or "t" in sys.abiflags or sys.maxsize < 2**32:
        fail("this file needs the usual 64-bit CPython, and %s is another build (%s)." % (sys.executable, python))
    target = "cp%d%d-%s" % (sys.version_info[:2] + (os.uname().machine,))
    try:
        libc = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (ValueError, OSError):
        libc = ""
    if about["libc"] == "glibc":
        if not libc.startswith("glibc "):
            fail("this file needs a Linux with glibc, and this one has another C library. On Alpine, take laidian-musl.pyz.")
        if [int(part) for part in libc[6:].split(".")[:2]] < about["glibc"]:
            fail("this file needs glibc %d.%d or newer, and this system has %s." % (tuple(about["glibc"]) + (libc[6:],)))
    elif libc:
        fail("this file is for Linux with musl, Alpine's C library, and this system has %s. Take laidian.pyz." % libc)
    else:
        target += "-musl"
    if target not in about["targets"]:
        fail("this file was built for %s, and this is %s (%s)." % (", ".join(about["targets"]), target, python))
    return target


# --- the cache folder ---


def candidates():
    """Folders to try, in order, each with True where the user named it (then nothing else will do)."""
    if os.environ.get("LAIDIAN_CACHE"):
        return [(os.environ["LAIDIAN_CACHE"], True)]
    found = []
    if os.environ.get("XDG_CACHE_HOME"):
        found.append((os.path.join(os.environ["XDG_CACHE_HOME"], "laidian"), False))
    home = os.path.expanduser("~")
    if os.path.isabs(home) and home != "/":
        found.append((os.path.join(home, ".cache", "laidian"), False))
    return found + [("/var/cache/laidian", False)]


def why_not(folder):
    """Makes `folder` if need be; a reason not to use it, or None."""
    try:
        os.makedirs(folder, 0o700, exist_ok=True)
        state = os.stat(folder)
        if state.st_uid != os.geteuid():
            return "belongs to another user (uid %d)" % state.st_uid
        if state.st_mode & 0o022:
            return "can be written by other users (mode %o); chmod 700 it" % (state.st_mode & 0o7777)
        if os.statvfs(folder).f_flag & os.ST_NOEXEC:
            return "is on a file system mounted noexec"
        if not os.access(folder, os.W_OK | os.X_OK):
            return "is not writable"
        above = os.stat(os.path.dirname(folder)).st_mode
        if above & 0o002 and not above & 0o1000:
            return "lies in a folder where other users may rename it (mode %o)" % (above & 0o7777)
    except OSError as error:
        return "cannot be used (%s)" % error.strerror
    return None


def is_prepared(folder, name):
    """Whether somebody whom we trust unpacked this build where we cannot write: an image, a read-only file system, the administrator."""
    try:
        states = [os.stat(folder), os.stat(os.path.join(folder, name))]
    except OSError:
        return False
    trusted = all(state.st_uid in (0, os.geteuid()) and not state.st_mode & 0o022 for state in states)
    return trusted and not os.access(folder, os.W_OK)


def cache_folder(name):
    """The first candidate that holds this build already, or can be written by this user and no other; else one for this run alone."""
    for folder, named in candidates():
        folder = os.path.abspath(folder)
        if is_prepared(folder, name):
            return folder
        reason = why_not(folder)
        if reason is None:
            return folder
        if named:
            fail("LAIDIAN_CACHE is %s, which %s." % (folder, reason))
        if os.path.isdir(folder):
            sys.stderr.write("laidian: the cache folder %s %s; trying another\n" % (folder, reason))
    return temporary_folder()


def temporary_folder():
    import atexit
    import shutil
    import tempfile

    folder = tempfile.mkdtemp(prefix="laidian-")
    owner = os.getpid()
    atexit.register(lambda: os.getpid() == owner and shutil.rmtree(folder, ignore_errors=True))
    sys.stderr.write(
        "laidian: no cache folder can be written, so this run unpacks into %s; set LAIDIAN_CACHE to a folder to keep\n" % folder
    )
    return folder


def lock(path, exclusive, wait=True):
    """An open file that holds the lock, or None if another process holds it and we do not wait."""
    import fcntl

    held = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(held, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        os.close(held)
        return None
    except OSError:
        pass  # a file system without locks: the rename below still keeps a folder whole
    return held


def site_folder(about, target):
    """The folder with this build's files, unpacked if they are not there yet."""
    name = "%s-%s-%s" % (about["version"], about["build"], target)
    cache = cache_folder(name)
    site = os.path.join(cache, name)
    if not os.access(cache, os.W_OK):
        return site  # nobody removes it either, so there is nothing to lock
    door = lock(os.path.join(cache, "lock"), exclusive=True)
    try:
        HELD.append(lock(site + ".lock", exclusive=False))
        if not os.path.isdir(site):
            import shutil

            for left in os.listdir(cache):  # by a start that was killed; only the holder of the door has such a folder
                if left.startswith("unpacking-"):
                    shutil.rmtree(os.path.join(cache, left), ignore_errors=True)
            remove_other_builds(cache, about["build"])
            unfinished = os.path.join(cache, "unpacking-" + name)
            try:
                if not in_a_child(lambda: install(about, target, unfinished, site)):
                    sys.exit(1)
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)
    finally:
        os.close(door)
    return site


def remove_other_builds(cache, build):
    """Removes the folders of other builds that no process is using."""
    import shutil

    for name in os.listdir(cache):
        if name.count("-") < 3 or "-%s-cp" % build in name or not name.endswith(".lock"):
            continue
        path = os.path.join(cache, name)
        held = lock(path, exclusive=True, wait=False)
        if held is not None:
            shutil.rmtree(path[: -len(".lock")], ignore_errors=True)
            os.unlink(path)
            os.close(held)


# --- the first run ---


def in_a_child(work):
    """Whether `work` succeeded in a process of its own: the server would keep the 12 MB that unpacking and compiling cost."""
    child = os.fork()
    if child:
        try:
            return os.waitpid(child, 0)[1] == 0
        except KeyboardInterrupt:
            try:
                os.kill(child, 9)  # it must not rename what we are about to remove
                os.waitpid(child, 0)
            except OSError:
                pass  # it got the interrupt, too
            sys.exit(130)
    code = 1
    try:
        work()
        code = 0
    except (SystemExit, KeyboardInterrupt):
        pass  # said already, or asked for
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)


def install(about, target, unfinished, site):
    try:
        unpack(about, target, unfinished)
        compile_files(unfinished, site)
        os.sync()  # a folder that survives a power cut must survive it with its content
        os.rename(unfinished, site)
    except OSError as error:
        fail("cannot unpack into %s: %s. Free some space (80 MB), or set LAIDIAN_CACHE." % (os.path.dirname(site), error.strerror))


OLDEST_MUSL = (1, 2, 4)
"""Libraries inside have packed relocations (DT_RELR), which an older musl takes for none and crashes: seen with 1.2.3, 2026-11."""


def musl_too_old(said):
    """What musl's loader says when it is called without a program: its version if that is too old, else the empty text."""
    import re

    found = re.search("Version ([0-9]+)[.]([0-9]+)[.]([0-9]+)", said)
    return ".".join(found.groups()) if found and tuple(map(int, found.groups())) < OLDEST_MUSL else ""


def require_musl(machine):
    """Ends with a sentence on a musl that would crash; on one that does not say its version, tries."""
    import subprocess

    try:
        loader = subprocess.run(["/lib/ld-musl-%s.so.1" % machine], stdin=subprocess.DEVNULL, capture_output=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return
    version = musl_too_old(loader.stderr.decode("utf-8", "replace"))
    if version:
        fail("this file needs musl %d.%d.%d or newer (Alpine 3.18), and this system has %s." % (OLDEST_MUSL + (version,)))


def unpack(about, target, folder):
    """Writes this target's files. Raises OSError when the disk does not take them."""
    try:
        import lzma
    except ImportError:
        fail("%s was built without lzma, which this file needs; Debian's python3 has it." % sys.executable)
    import zipfile

    if target.endswith("-musl"):
        require_musl(os.uname().machine)
    sys.stderr.write("laidian: unpacking, once\n")
    index = json.loads(read("index.json").decode())
    try:
        with zipfile.ZipFile(ARCHIVE) as archive:
            for payload in ("any", target.partition("-")[2]):
                if payload in index:
                    check(payload + ".xz", about["sha256"][payload + ".xz"])
                    with archive.open(payload + ".xz") as packed, lzma.open(packed) as stream:
                        write_files(stream, index[payload], target, folder)
    except (zipfile.BadZipFile, lzma.LZMAError, EOFError) as error:
        fail("%s is damaged (%s); fetch it again and compare its SHA-256." % (ARCHIVE, error))


def check(name, sha256):
    """Raises EOFError when a member is not what the archive was built with."""
    import hashlib

    if hashlib.sha256(read(name)).hexdigest() != sha256:
        raise EOFError("%s has another SHA-256 than it was built with" % name)


def write_files(stream, files, target, folder):
    made = set()
    for path, size, targets in files:
        data = stream.read(size)
        if targets is not None and target not in targets:
            continue
        full = os.path.join(folder, path)
        parent = os.path.dirname(full)
        if parent not in made:
            os.makedirs(parent, 0o700, exist_ok=True)
            made.add(parent)
        with open(full, "wb") as file:
            file.write(data)
    if stream.read(1):  # at the end xz and zip compare their checksums, too
        raise EOFError("longer than its index")


def compile_files(folder, final):
    """Bytecode for every file that a start may import, so that no later start compiles, whatever its environment says."""
    import py_compile

    sources = []
    for parent, _, names in os.walk(folder):
        inside = os.path.relpath(parent, folder) + "/"
        if not inside.startswith(NOT_COMPILED):
            sources += [os.path.join(parent, name) for name in names if name.endswith(".py")]
    sources.sort(key=os.path.getsize, reverse=True)
    workers = max(1, min(len(os.sched_getaffinity(0)), 8))
    children = []
    for share in range(1, workers):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                compile_share(py_compile, sources[share::workers], folder, final)
                code = 0
            except OSError as error:
                code = error.errno
            finally:
                os._exit(code)
        children.append(child)
    try:
        compile_share(py_compile, sources[0::workers], folder, final)
    finally:  # whatever happens, nobody writes any more when this returns
        codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    for code in codes:
        if code:
            raise OSError(code, os.strerror(code) if code > 0 else "killed by signal %d" % -code)


def compile_share(py_compile, sources, folder, final):
    for source in sources:
        py_compile.compile(source, dfile=final + source[len(folder) :], doraise=False, quiet=2)


def main():
    about = json.loads(read("build.json").decode())
    # The cache is ours to write, and a prefix elsewhere would not be found by worker processes.
    sys.dont_write_bytecode = False
    sys.pycache_prefix = None
    site = site_folder(about, this_target(about))
    if os.path.abspath(sys.path[0]) == ARCHIVE:
        del sys.path[0]  # it holds no package, and every import would look into it
    sys.path.insert(0, site)
    from laidian.cli import main as laidian

    sys.exit(laidian())


if __name__ == "__main__":
    main()
