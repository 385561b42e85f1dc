"""Files made to do harm: pickles that call something when they are read, and what would tell that they did."""

import io
import pickle
import zlib
from collections.abc import Iterator
from pathlib import Path

# what attackers call: each would run code, open a file or a connection, or lead to something that does
GADGETS = (
    *("os.system", "posix.system", "nt.system", "os.popen", "os.execv", "os.remove", "os.fork"),
    *("subprocess.Popen", "subprocess.call", "subprocess.check_output", "subprocess.run", "pty.spawn"),
    *("builtins.eval", "builtins.exec", "builtins.compile", "builtins.open", "builtins.getattr", "builtins.__import__"),
    *("builtins.setattr", "builtins.globals", "__builtin__.eval", "__builtin__.file", "importlib.import_module"),
    *("runpy.run_path", "runpy._run_code", "code.interact", "pdb.run", "timeit.timeit", "cProfile.run", "bdb.Bdb"),
    *("shutil.rmtree", "shutil.copy", "pathlib.Path", "tempfile.mkdtemp", "io.FileIO", "_io.open", "codecs.open"),
    *("socket.create_connection", "urllib.request.urlopen", "webbrowser.open", "ftplib.FTP", "smtplib.SMTP"),
    *("ctypes.CDLL", "ctypes.string_at", "marshal.loads", "pickle.loads", "_pickle.loads", "shelve.open"),
    *("operator.attrgetter", "operator.methodcaller", "functools.partial", "functools.reduce", "types.FunctionType"),
    *(
        "types.CodeType",
        "copyreg._reconstructor",
        "copyreg.__newobj__",
        "logging.config.listen",
        "zipimport.zipimporter",
    ),
    *("numpy.load", "numpy.fromfile", "numpy.memmap", "numpy.testing._private.utils.runstring", "numpy.f2py.compile"),
    *("numpy.ndarray.tofile", "numpy.core.multiarray.scalar", "numpy.dtype.__class__", "numpy.ndarray.dump"),
    *("torch.load", "torch.hub.load", "torch.jit.load", "torch.serialization.load", "torch.ops.load_library"),
    *("torch.utils.cpp_extension.load", "torch._dynamo.optimize", "torch.storage._load_from_bytes"),
)


class Bait:
    """A file that a payload would write, so that running it shows."""

    def __init__(self, folder: Path):
        self.mark = folder / "executed"

    @property
    def command(self) -> str:
        return f"echo x > {self.mark}"

    @property
    def was_taken(self) -> bool:
        return self.mark.exists()


def payloads(gadget: str, argument: str) -> Iterator[tuple[str, bytes]]:
    """A call of a function in every way that a pickle knows, by the name of the opcode."""
    module, _, name = gadget.rpartition(".")
    where, text = f"{module}\n{name}\n".encode(), argument.encode()
    quoted = b"V" + text + b"\n"
    yield "REDUCE", b"c" + where + b"(" + quoted + b"tR."
    yield "INST", b"(" + quoted + b"i" + where + b"."
    yield "OBJ", b"(c" + where + quoted + b"o."
    yield "NEWOBJ", b"\x80\x02c" + where + b"(" + quoted + b"t\x81."
    short = b"".join(b"\x8c" + bytes([len(part)]) + part for part in (module.encode(), name.encode()))
    yield "STACK_GLOBAL", b"\x80\x04" + short + b"\x93(" + quoted + b"tR."
    dotted = b"".join(
        b"\x8c" + bytes([len(part)]) + part
        for part in (module.partition(".")[0].encode(), gadget.partition(".")[2].encode())
    )
    yield "dotted name", b"\x80\x04" + dotted + b"\x93(" + quoted + b"tR."
    yield "BUILD", b"c" + where + b"}V__setstate__\nc" + where + b"sb."
    yield "inside a dictionary", b"}(V" + b"data\nc" + where + b"(" + quoted + b"tRu."
    yield "behind a good value", b"\x80\x02K\x010c" + where + b"(" + quoted + b"tR."


def malformed_pickles() -> Iterator[bytes]:
    """Pickles that are cut off, that ask for absurd amounts, or that name what is not there."""
    whole = pickle.dumps({"data": [1, 2, 3], "labels": b"x" * 40}, protocol=4)
    yield from (whole[:end] for end in range(len(whole)))
    yield b"\x80\xff."
    yield b"\x8e" + (2**62).to_bytes(8, "little") + b"x."
    yield b"B" + (2**31 - 1).to_bytes(4, "little") + b"x."
    yield b"T\xff\xff\xff\xff."
    yield b"\x8a\xff."
    yield b"I" + b"9" * 5_000 + b"\n."
    yield b"h\x05."
    yield b"j\xff\xff\xff\x7f."
    yield b"K\x01r\xff\xff\xff\x7f."
    yield b"\x82\x01."
    yield b"\x84\xff\xff\xff\x7f."
    yield b"Pid\n."
    yield b"\x95" + (2**63 - 1).to_bytes(8, "little") + b"."
    yield b"(" * 100_000
    yield b"]" * 50_000 + b"a" * 49_999 + b"."
    yield b"cnumpy\nndarray\n(I-1\ntR."
    yield b"cnumpy\nndarray\n(I999999999999\ntR."
    yield b"cnumpy._core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I4611686018427387904\ntVu1\ntR."
    yield b"cnumpy\ndtype\n(Vnonsense\ntR."
    yield b"cnumpy\ndtype\n(VV99999999999\ntR."
    yield b"cnumpy\nndarray\n}V__class__\nI1\nsb."
    yield b""
    yield b"."
    yield bytes(range(256))


def bomb(size: int, *, gz: bool = False) -> bytes:
    """Zeros, packed to a thousandth."""
    packer = zlib.compressobj(9, wbits=31 if gz else 15)
    packed, piece = io.BytesIO(), bytes(2**20)
    for _ in range(size // len(piece)):
        packed.write(packer.compress(piece))
    return packed.getvalue() + packer.flush()
