"""Commands for everybody who works in the course."""

from __future__ import annotations

import typer

from autograde.commands.shared import app, console


@app.command()
def doctor() -> None:
    """Look for what commonly goes wrong in a set-up, and say how to mend it."""
    from autograde.doctor import examine

    findings = list(examine())
    for finding in findings:
        sign = "[green]✓[/green]" if finding.well else "[red]✗[/red]"
        console.print(f"{sign} {finding.subject}: {finding.words}", soft_wrap=True)
        if not finding.well and finding.remedy:
            console.print(f"    → {finding.remedy}", soft_wrap=True, markup=False)
    if not all(finding.well for finding in findings):
        raise typer.Exit(1)
