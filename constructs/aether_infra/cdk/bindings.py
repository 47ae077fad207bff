"""Makes the generated bindings of a Terraform provider load only what is used.

    from aether_infra.cdk import bindings

    bindings.make_lazy("cdktf_cdktf_provider_aws", extra="aws")
    from cdktf_cdktf_provider_aws.vpc import Vpc  # reads the modules `vpc` and `_jsii`, not 2,200

The stock package imports every one of its submodules at its end, so that jsii knows their types. Two things
replace that, without a change to any installed file:

- Python: the package's own source runs without these last lines, and a submodule is imported when it is first
  looked up (PEP 562) or when the kernel returns an object of one of its types: jsii asks its
  `_submodule_fqn_map` for the module of an unknown type, which is filled here.
- JavaScript: see `aether_infra.cdk.kernel`.

What the program sees is the stock package: the same classes, `dir()`, `__all__`, star import and errors. Where an
assumption does not hold, the stock way is taken: a package that is imported already, is not of the generated form
or not in plain files, a jsii without that map (before 1.136), a running kernel (Python only), no node.
`AETHER_STOCK_BINDINGS=1` asks for the stock way.
"""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import decode_source, find_spec, spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import TYPE_CHECKING

from aether_infra.errors import MissingExtraError

if TYPE_CHECKING:
    from aether_infra.cdk.kernel import EarlyProcess

OPT_OUT = "AETHER_STOCK_BINDINGS"
"""Environment variable: any value but empty and `0` leaves all bindings as they are."""

_GENERATED = re.compile(
    r"\A(?P<head>.*\npublication\.publish\(\)\n)(?:\n|#[^\n]*\n)*(?P<tail>(?:from \. import \w+\n)+)\Z", re.DOTALL
)
"""The end of a generated `__init__`: after `publish()`, only imports of submodules."""

_lock = threading.RLock()


def make_lazy(package: str, *, extra: str) -> bool:
    """Make the bindings of one provider lazy, and start the kernel for them.

    Call it before the first import of the package. Calling it again does no harm.

    Args:
        package: the top-level package, such as `cdktf_cdktf_provider_aws`.
        extra: the extra of `aether-infra` that installs it, such as `aws`.

    Returns:
        Whether the package is lazy; False means that it works in the stock way.

    Raises:
        MissingExtraError: the package or jsii is not installed.
    """
    with _lock:
        if package in _FINDER.sources:
            return True
        if package in sys.modules:
            return False
        source = _generated_source(package, extra)
        if _opted_out() or source is None or not _jsii_finds_types(extra):
            return False
        _FINDER.add(package, source)
        if (process := activate()) is not None:
            from aether_infra.cdk import kernel  # noqa: PLC0415  imports jsii

            process.ask(kernel.load_requests(package))
        return True


def activate() -> EarlyProcess | None:
    """Start the kernel early and with the JavaScript side lazy, unless it runs or the user opted out.

    Returns:
        The kernel's process, or None where the stock way is taken.
    """
    with _lock:
        if _opted_out():
            return None
        try:
            from aether_infra.cdk import kernel  # noqa: PLC0415  imports jsii, which takes 0.1 s
        except (ImportError, AttributeError) as error:
            if isinstance(error, ImportError) and not (error.name or "").startswith("jsii"):
                raise
            return None  # a jsii whose private parts have other names
        return kernel.start()


def _opted_out() -> bool:
    return os.environ.get(OPT_OUT, "") not in {"", "0"}


def _generated_source(package: str, extra: str) -> Path | None:
    """Find the `__init__.py` of a package and check that it is one that can be split."""
    spec = find_spec(package)
    if spec is None:
        raise MissingExtraError(extra, package)
    if type(spec.loader) is not SourceFileLoader or spec.origin is None:
        return None
    source = Path(spec.origin)
    return source if _split(source.read_bytes()) else None


def _split(source: bytes) -> tuple[str, list[str]] | None:
    """Part a generated `__init__` into the code up to `publish()` and the names of its submodules."""
    match = _GENERATED.match(decode_source(source))
    return (match["head"], re.findall(r"\w+(?=\n)", match["tail"])) if match else None


def _jsii_finds_types(extra: str) -> bool:
    """Whether this jsii imports the module of a type that it meets for the first time."""
    try:
        reference_map = import_module("jsii._reference_map")
    except ModuleNotFoundError as error:
        if error.name == "jsii":
            raise MissingExtraError(extra, "jsii") from error
        if error.name == "jsii._reference_map":
            return False
        raise
    return hasattr(reference_map, "_submodule_fqn_map")


class _LazyFinder(MetaPathFinder):
    """Finds the packages that were made lazy, so that import, locks and reload work as for any other."""

    def __init__(self) -> None:
        self.sources: dict[str, Path] = {}

    def add(self, package: str, source: Path) -> None:
        self.sources[package] = source
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        source = self.sources.get(fullname)
        if source is None:
            return None
        loader = _LazyLoader(fullname, str(source))
        return spec_from_file_location(
            fullname, source, loader=loader, submodule_search_locations=[str(source.parent)]
        )


_FINDER = _LazyFinder()


class _LazyLoader(SourceFileLoader):
    """Runs a generated `__init__` up to its imports of submodules, and imports these on demand."""

    _submodules: Sequence[str] = ()

    def get_code(self, fullname: str) -> CodeType | None:
        """Compile the head of the source; its lines keep their numbers."""
        parts = _split(self.get_data(self.path))
        if parts is None:  # the file changed since it was found
            return super().get_code(fullname)
        head, self._submodules = parts
        return self.source_to_code(head.encode(), self.path)

    def exec_module(self, module: ModuleType) -> None:
        """Run the head, which publishes a second module under the same name, and equip both."""
        for hook in ("__getattr__", "__dir__"):  # from before a reload: publish() looks every name up
            module.__dict__.pop(hook, None)
        super().exec_module(module)
        _register_types(self.name, self._submodules)
        for each in (module, sys.modules[self.name]):
            _equip(each, self.name, frozenset(self._submodules))


def _equip(module: ModuleType, package: str, submodules: frozenset[str]) -> None:
    """Give a module the attributes that it would have if it had imported its submodules."""

    def __getattr__(name: str) -> ModuleType:  # noqa: N807  the name PEP 562 wants
        if name in submodules:
            return import_module(f"{package}.{name}")
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    def __dir__() -> list[str]:  # noqa: N807
        return sorted((submodules | module.__dict__.keys()) - hooks.keys())

    hooks: Mapping[str, Callable[..., object]] = {"__getattr__": __getattr__, "__dir__": __dir__}
    module.__dict__.update(hooks)


def _register_types(package: str, submodules: Sequence[str]) -> None:
    """Tell jsii in which Python module the types of each JavaScript submodule are."""
    from jsii import _reference_map  # noqa: PLC0415  jsii is optional for this module

    assembly = sys.modules[f"{package}._jsii"].__jsii_assembly__.name
    _reference_map._submodule_fqn_map.update(  # noqa: SLF001  jsii fills it so for packages that are born lazy
        {f"{assembly}.{_camel_case(name)}": f"{package}.{name}" for name in submodules}
    )


def _camel_case(name: str) -> str:
    """Turn a Python module's name into the JavaScript one that it was made from (`s3_bucket`, `s3Bucket`)."""
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)
