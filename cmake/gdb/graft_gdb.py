"""Pretty-printers for gdb: graft's tensors, variables, parameters and shapes as people read them.

    (gdb) source /usr/local/share/graft/gdb/graft_gdb.py
    (gdb) print weight
    $1 = Tensor float32 cpu [2, 3] {1, 2, 3, 4, 5, 6}

Numbers of a GPU are not read. Works with libstdc++ and libc++.
"""

import struct

import gdb
import gdb.printing

FIRST = 8  # numbers that are shown
DTYPES = {"float": "float32", "double": "float64", "int": "int32", "long": "int64", "unsigned char": "uint8"}


def pointer_of(shared):
    """The raw pointer in a std::shared_ptr."""
    for name in ("_M_ptr", "__ptr_"):
        try:
            return shared[name]
        except gdb.error:
            pass
    raise gdb.error("a std::shared_ptr of an unknown library")


def text_of(string):
    """A std::string's text."""
    try:
        return string["_M_dataplus"]["_M_p"].string(length=int(string["_M_string_length"]))
    except gdb.error:
        return string.format_string().strip('"')


def extents_of(shape):
    array = shape["extents_"]
    elements = array[array.type.fields()[0].name]  # _M_elems or __elems_
    return [int(elements[axis]) for axis in range(int(shape["rank_"]))]


def dtype_of(scalar):
    name = scalar.strip_typedefs().unqualified().name
    return DTYPES.get(name, name.rsplit("::", 1)[-1])


def number_of(value, dtype):
    """One element as text; bfloat16 and half are widened."""
    if dtype == "bfloat16":
        value = struct.unpack("<f", struct.pack("<I", int(value["bits"]) << 16))[0]
    elif dtype == "half":
        value = struct.unpack("<e", struct.pack("<H", int(value["bits"])))[0]
    elif dtype in ("float32", "float64"):
        value = float(value)
    else:
        return str(int(value))
    return f"{value:.6g}"


def describe(tensor):
    """`float32 cpu [2, 3] {1, 2, …}`"""
    kind = tensor.type.strip_typedefs().unqualified()
    dtype, device = dtype_of(kind.template_argument(0)), kind.template_argument(1).name.rsplit("::", 1)[-1].lower()
    pointer = pointer_of(tensor["data_"])
    if int(pointer) == 0:
        return f"{dtype} {device} empty"
    extents = extents_of(tensor["shape_"])
    text = f"{dtype} {device} [{', '.join(map(str, extents))}]"
    if device != "cpu":
        return text + " on the device"
    size = int(tensor["size_"])
    try:
        numbers = [number_of((pointer + i).dereference(), dtype) for i in range(min(size, FIRST))]
    except gdb.MemoryError:
        return text + " at an address that cannot be read"
    return text + " {" + ", ".join(numbers) + (", …" if size > FIRST else "") + "}"


class ShapePrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return "[" + ", ".join(map(str, extents_of(self.value))) + "]"


class TensorPrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return "Tensor " + describe(self.value)


class VariablePrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        tracked = int(pointer_of(self.value["slot_"])) != 0
        return f"Variable {'tracked' if tracked else 'constant'} {describe(self.value['value_'])}"


class ParameterPrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return f'Parameter "{text_of(self.value["name_"])}" {describe(self.value["variable_"]["value_"])}'


def register(objfile=None):
    printers = gdb.printing.RegexpCollectionPrettyPrinter("graft")
    printers.add_printer("Shape", "^graft::Shape$", ShapePrinter)
    printers.add_printer("Tensor", "^graft::Tensor<.*>$", TensorPrinter)
    printers.add_printer("Variable", "^graft::Variable<.*>$", VariablePrinter)
    printers.add_printer("Parameter", "^graft::Parameter<.*>$", ParameterPrinter)
    gdb.printing.register_pretty_printer(objfile, printers, replace=True)


register(gdb.current_objfile())
