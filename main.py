"""Atelier: `python main.py` opens the studio, on a fresh machine too; `python main.py --help` lists what else there is.

This file sets the environment up (studio/environment) and hands over. It is written so that any Python can read it,
however old, to be able to say which Python is needed; so it has no annotations and defines nothing.
"""

import os
import sys

if __name__ == "__main__":
    version = sys.version_info[:2]
    if not (3, 11) <= version <= (3, 14):
        sys.stderr.write(
            "Atelier needs Python 3.11, 3.12, 3.13 or 3.14; this is Python "
            + ".".join(str(part) for part in version)
            + " ("
            + str(sys.executable)
            + ").\nInstall one of them and run it with this file, for example: python3.13 main.py\n"
        )
        sys.exit(2)

    from studio.environment import door

    destination, arguments = door.prepare(os.path.dirname(os.path.abspath(__file__)), sys.argv[1:])
    if destination == door.WINDOW:
        from studio.launch import main

        sys.exit(main())
    from studio.cli import app

    app(args=arguments, prog_name="main.py")
