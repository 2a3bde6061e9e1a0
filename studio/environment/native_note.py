"""The note that the text engine is missing, and whether to try again: asked at every start, so it must cost nothing."""

import os

from studio.environment import stamp

NAME = "atelier.without-text"
NO_COMPILER = "no compiler"


def worth_another_try(root: str) -> bool:
    """Tell whether the text engine is missing for want of a compiler, and there is one (or a wheel) now."""
    path = os.path.join(stamp.folder(root), NAME)
    if not os.path.exists(path):
        return False
    with open(path, encoding="utf-8") as file:
        if file.read() != NO_COMPILER:
            return False
    from studio.environment.native_build import cache_folder, compiler

    return bool(compiler()) or any(cache_folder().glob("llama_cpp_python-*.whl"))
