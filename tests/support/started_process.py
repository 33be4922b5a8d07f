"""A process that does not outlive its test."""

import subprocess


class StartedProcess(subprocess.Popen):
    """Popen, but leaving its block kills what still runs, instead of waiting for it for ever."""

    def __exit__(self, *error):
        self.kill()
        super().__exit__(*error)
