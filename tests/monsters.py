"""Texts that nobody should write, each too large or too deep to be kept as a file."""

from __future__ import annotations

MEGABYTE = 2**20


def _toml(line: str) -> bytes:
    return f'name = "m"\ntask = "multiclass"\noutput_shape = [3]\n{line}\n'.encode()


def _layers(text: str) -> bytes:
    return _toml(f'input_shape = [3, 32, 32]\n[model]\nlayers = "{text}"')


MONSTERS: dict[str, dict[str, bytes]] = {
    "shapes": {
        "a megabyte of digits": b"9" * MEGABYTE,
        "a megabyte of commas": b"," * MEGABYTE,
        "a megabyte of ones": b"1," * (MEGABYTE // 2),
        "a megabyte of spaces": b"1" + b" " * MEGABYTE + b"1",
        "a megabyte of spaces and crosses": b" x" * (MEGABYTE // 2),
        "a megabyte of brackets": b"(" * MEGABYTE,
        "a megabyte of half characters": b"\xff" * MEGABYTE,
        "a number of a thousand digits": b"3," + b"9" * 1000,
        "a megabyte of lines": b"1\n" * (MEGABYTE // 2),
    },
    "layers": {
        "a megabyte of arrows": b"->" * (MEGABYTE // 2),
        "a megabyte of one item": b"relu" * (MEGABYTE // 4),
        "as many empty layers as pass": b"->" * 1_999,
        "as many layers as pass": b"->".join([b"relu"] * 2_000),
        "as many convolutions as pass": b"->".join([b"conv(3,3,padding=1)"] * 2_000),
        "as many views as pass, each written over": b"->".join([b"dropout(0,inplace=True)"] * 2_000),
        "as many transposes as pass": b"->".join([b"transpose"] * 2_000),
        "as many recurrent layers as pass": b"->".join([b"gru(8,bidirectional=True)"] * 2_000),
        "as many pools as pass, and one too many": b"->".join([b"maxpool(1)"] * 1_999 + [b"conv(3,99)"]),
        "a map that grows": b"->".join([b"convtranspose(64,3,stride=3)"] * 1_000),
        "brackets in brackets": b"conv(" + b"(" * 230 + b")" * 230 + b")",
        "signs before signs": b"leaky_relu(" + b"-" * 480 + b"1)",
        "powers": b"conv(" + b"9**9**9**9" + b", 3)",
        "a number of a thousand digits": b"conv(" + b"9" * 1_000 + b",3)",
        "numbers of 18 digits": b"conv(" + b"9" * 18 + b"," + b"9" * 18 + b",padding=" + b"9" * 18 + b")",
        "an output without end": b"convtranspose(3,3,stride=" + b"9" * 18 + b")",
        "groups without end": b"groupnorm(" + b"9" * 18 + b")",
        "unknown names by the thousand": b"->".join([b"w" * 45] * 1_999),
    },
    "toml": {
        "a megabyte of arrows": _layers("->" * (MEGABYTE // 2)),
        "as many layers as pass": _layers("->".join(["relu"] * 2_000)),
        "brackets in brackets": b"input_shape = " + b"[" * 100_000,
        "tables in tables": b"a = " + b"{b=" * 20_000,
        "dots by the thousand": b".".join([b"a"] * 20_000) + b" = 1",
        "a table of dots by the thousand": b"[" + b".".join([b"model"] * 20_000) + b"]",
        "dots between quotes by the thousand": b".".join([b'"a"'] * 20_000) + b" = 1",
        "dots in an inline table": b"x = {" + b" . ".join([b"a"] * 20_000) + b" = 1}",
        "a comment of a megabyte": b"#" * MEGABYTE,
        "a text of a megabyte that never ends": b'name = """' + b"\\" * (MEGABYTE - 1),
        "a number of a thousand digits": _toml("[training]\nepochs = " + "9" * 1_000),
        "a number of a hundred thousand digits": _toml("[training]\nepochs = " + "9" * 100_000),
        "a float of a thousand digits": _toml("[training]\nlr = 1e" + "9" * 1_000),
        "a hexadecimal of a hundred thousand digits": _toml("[training]\nepochs = 0x" + "f" * 100_000),
        "a huge shape": _toml("input_shape = [268435456]\n[model]\npreset = 'mlp'"),
        "a huge output": _toml("input_shape = [5]").replace(b"[3]", b"[100000]"),
        "many hidden layers": _toml(f"input_shape = [5]\n[model]\nhidden = {[10] * 100}"),
        "many classes": _toml(f"input_shape = [5]\n[data]\nclasses = {[str(n) for n in range(20_000)]}"),
        "many weights": _toml(f"input_shape = [5]\n[training]\nclass_weights = {[1.5] * 20_000}"),
        "many unknown keys": b"\n".join(b"k%d = 1" % n for n in range(2_000)),
        "one long key": b"k" * MEGABYTE + b" = 1",
        "a megabyte of quotes": b'"' * MEGABYTE,
    },
    "matrix": {
        "lists that multiply out to millions": b"[training]\n"
        + b"\n".join(b"%s = %a" % (key, [*range(1, 200)]) for key in (b"epochs", b"batch_size", b"seed")),
        "a list of many values": b"task = 'regression'\n[training]\nseed = %a" % [*range(5_000)],
        "many entries": b"task = 'regression'\n"
        + b"\n".join(b"[[include]]\nseed = %d" % n for n in range(300)),
        "many excludes that match nothing": b"\n".join(b"[[exclude]]\nseed = %d" % n for n in range(2_000)),
        "many unknown keys": b"\n".join(b"k%d = 1" % n for n in range(500)),
    },
}
