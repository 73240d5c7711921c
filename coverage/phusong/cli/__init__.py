"""The command line: arguments become a call, errors become exit codes. Heavy imports wait.

Exit codes: 0 done, 1 finished with a quarantine under --strict, 2 bad usage or input,
3 environment (disk, memory, permission).
"""

from __future__ import annotations

import click

from phusong.cli.assessing import assess, demo, init, run
from phusong.cli.completing import completion
from phusong.cli.explaining import explain
from phusong.cli.files import check, template, verify
from phusong.cli.monitoring import progress
from phusong.cli.planning import plan
from phusong.cli.predicting import predict
from phusong.cli.public import cache, fetch
from phusong.cli.publishing import publish
from phusong.cli.radio import path
from phusong.cli.reporting import report
from phusong.cli.speaking import Verbs

__all__ = ["main"]


@click.group(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="phusong", prog_name="phusong")
def main() -> None:
    """Coverage of communes by broadband and 5G, measured against a plan's targets.

    Phủ sóng: đo độ phủ băng rộng và 5G của từng xã so với mục tiêu.
    """


for verb in (
    demo,
    assess,
    run,
    init,
    check,
    template,
    verify,
    fetch,
    cache,
    path,
    predict,
    progress,
    plan,
    publish,
    report,
    explain,
    completion,
):
    main.add_command(verb)
