"""``acerto demo``: from nothing to a running service that has answered once."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import DEFAULT_CONFIGS, Configs
from cli.output import console, progress, say

if TYPE_CHECKING:
    from domain.decisions import Decision
    from domain.tables import Tables

_READY_SECONDS = 120
_TITLES = 7
_COMPARED = 5_000
"""Decisions on which the version is compared with other policies: a dozen seconds of the demo."""


def demo(
    exit_: Annotated[bool, typer.Option("--exit", help="End after the first answer instead of serving on.")] = False,
    accounts: Annotated[int, typer.Option("--accounts", min=500, help="Accounts to simulate.")] = 20_000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Same seed, same portfolio.")] = 0,
    out: Annotated[Path, typer.Option("--out", help="Where data, decisions and report go.")] = Path("demo"),
    port: Annotated[int, typer.Option("--port", help="Port of the service; the next free one is used.")] = 3000,
    configs: Configs = DEFAULT_CONFIGS,
) -> None:
    """Simulate, validate, train, promote, decide, report and serve, from nothing."""
    started = time.perf_counter()
    data = out / "data"
    _simulate(data, accounts=accounts, seed=seed, configs=configs)
    _validate(data, configs=configs)
    _train(data, configs=configs)
    _promote(data, configs=configs)
    tables, decisions = _decide(data, out / "decisions.parquet", configs=configs)
    _compare(data, decisions)
    _report(out / "report", data=data, decisions=out / "decisions.parquet", configs=configs)
    _serve(tables, decisions, exit_=exit_, port=_free_port(port), configs=configs, out=out, started=started)


def _title(step: int, text: str) -> None:
    console.print(f"\n[bold]{step}/{_TITLES}[/bold] {text}")


def _simulate(data: Path, *, accounts: int, seed: int, configs: Path) -> None:
    from cli.simulate_command import simulate

    _title(1, "a Brazilian portfolio, three years of it")
    simulate(accounts=accounts, out=data, seed=seed, configs=configs)


def _validate(data: Path, *, configs: Path) -> None:
    from cli.validate_command import validate

    _title(2, "is the data fit to learn from?")
    # Another demo may have simulated another portfolio before.
    validate(data, against="none", configs=configs)


def _train(data: Path, *, configs: Path) -> None:
    from cli.model_commands import train

    _title(3, "learn who pays, and what each action does")
    train(data, configs=configs, name="demo", against="none")


def _promote(data: Path, *, configs: Path) -> None:
    from cli.model_commands import promote
    from domain.errors import AcertoError
    from training.registry import Tracking, champions

    _title(4, "gates, then champion")
    try:
        promote(data=data, max_decisions=_COMPARED, configs=configs)
    except AcertoError as refusal:
        say(str(refusal))
        standing = champions(Tracking.from_environment())
        say("the challenger is used instead" if not standing else f"version {standing[-1]} stays champion")


def _decide(data: Path, out: Path, *, configs: Path) -> tuple[Tables, list[Decision]]:
    from cli.decide_command import decide_portfolio, show_run, write_run
    from simulation.judge import end_of

    _title(5, "tonight's decisions")
    with progress("deciding") as step:
        found = decide_portfolio(data, as_of=end_of(data), model="champion", configs=configs, on_step=step)
        step("writing", 0.95)
        write_run(out, found)
    show_run(found, out)
    return found.tables, found.decisions


def _compare(data: Path, decisions: list[Decision]) -> None:
    """What the simulator alone can tell: the true value of the decisions beside that of the ladder."""
    from simulation.judge import judge

    found = judge(data, {decision.account_id: decision.action for decision in decisions})
    say(
        f"true value per account over a year, which only a simulator knows: these decisions {found.chosen:,.2f}, the "
        f"ladder {found.ladder:,.2f}, always waiting {found.wait:,.2f}; gain over the ladder {found.gain:,.2f} "
        f"[{found.gain_low:,.2f}, {found.gain_high:,.2f}] on {found.accounts:,} accounts"
    )


def _report(out: Path, *, data: Path, decisions: Path, configs: Path) -> None:
    from cli.report_command import report

    _title(6, "the report for the risk manager")
    report(out=out, model="champion", decisions=decisions, data=data, locale="pt-BR", configs=configs)


def _serve(
    tables: Tables, decisions: list[Decision], *, exit_: bool, port: int, configs: Path, out: Path, started: float
) -> None:
    from cli.keys_commands import make_key
    from cli.serve_command import environment
    from serving.launch import start

    _title(7, "serve, and ask for one decision")
    # Before the service is there, which reads its keys once in a second.
    key, _ = make_key("default", "admin", expires_days=1)
    curl = _curl_options(out / "key.curl", key)
    service = start(
        "127.0.0.1",
        port,
        environ=environment("champion", configs=configs, reports=out / "report"),
        log=out / "service.log",
    )
    try:
        service.wait_until_ready(_READY_SECONDS)
        chosen = _example(tables, decisions)
        body = _request(tables, chosen)
        _show_answer(_ask(service.url, body, key=key), chosen)
        (out / "request.json").write_text(_pretty(body), encoding="utf-8")
        say(f"\nready after {time.perf_counter() - started:,.0f} s. Open:")
        say(f"  {service.url}/docs       the API")
        say(f"  {service.url}/reports/   the risk report; a browser asks for a name, any, and a password: the key")
        say(f"A key for this, good for a day: {key}")
        asked = f"{service.url}/v1/decisions -H 'content-type: application/json' -d @{out / 'request.json'}"
        say(f"  curl -s -K {curl} {asked}")
        if not exit_:
            say("Ctrl-C ends the service.")
            service.wait()
    except KeyboardInterrupt:
        pass
    finally:
        service.stop()


def _curl_options(path: Path, key: str) -> Path:
    """A file of options for curl, so that the key is in no list of processes; only its owner may read it."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(f'header = "Authorization: Bearer {key}"\n', encoding="utf-8")
    return path


def _example(tables: Tables, decisions: list[Decision]) -> Decision:
    """A telling decision: of a debtor with one account, where acting is worth most over waiting."""
    debtors = tables.text("accounts", "debtor_id").decode()
    accounts = tables.text("accounts", "account_id").decode()
    single = _single(debtors, accounts)
    owner = dict(zip(accounts, debtors, strict=True))
    alone = [one for one in decisions if owner[one.account_id] in single and one.channel != "wait"]
    return max(alone or decisions, key=lambda one: (one.chosen.incremental_net_cents, one.account_id))


def _single(debtors: list[str | None], accounts: list[str | None]) -> set[str | None]:
    owned: dict[str | None, set[str | None]] = {}
    for debtor, account in zip(debtors, accounts, strict=True):
        owned.setdefault(debtor, set()).add(account)
    return {debtor for debtor, found in owned.items() if len(found) == 1}


def _request(tables: Tables, decision: Decision) -> dict[str, Any]:
    from cli.ledger import ledger_json
    from domain.clock import rfc3339

    ledger = ledger_json(tables, decision.account_id, before_us=decision.decided_at_us)
    return {
        "as_of": rfc3339(decision.decided_at_us),
        "explain": "reasons",
        "locale": "pt-BR",
        "commit": False,
        "accounts": [ledger],
    }


def _pretty(body: dict[str, Any]) -> str:
    import json

    return json.dumps(body, ensure_ascii=False, indent=1)


def _ask(url: str, body: dict[str, Any], *, key: str) -> dict[str, Any]:
    import httpx

    from domain.errors import AcertoError

    answer = httpx.post(f"{url}/v1/decisions", json=body, headers={"Authorization": f"Bearer {key}"}, timeout=30)
    if answer.status_code != 200:
        raise AcertoError(f"the service answered {answer.status_code}: {answer.text[:400]}")
    found: dict[str, Any] = answer.json()["decisions"][0]
    return found


def _show_answer(answer: dict[str, Any], batch: Decision) -> None:
    say(f"\n  account {answer['account_id']}: owes R$ {answer['amount_due']:,.2f}")
    say(
        f"  decision  {answer['action']}  "
        f"(action_prob {answer['action_prob']:.4f}, valid until {answer['valid_until']})"
    )
    say(f"  p_pay     {', '.join(f'{days} {p:.1%}' for days, p in answer['p_pay'].items())}")
    say(
        f"  worth     R$ {answer['expected_net_value']:,.2f}, R$ {answer['incremental_net_value']:,.2f} more than "
        f"waiting, at a cost of R$ {answer['expected_cost']:,.2f}"
    )
    if answer["runner_up"]:
        second = answer["runner_up"]
        say(f"  runner-up {second['action']}, worth R$ {second['expected_net_value']:,.2f}")
    say("  motivos")
    for reason in answer["reasons"]:
        say(f"    {reason['contribution']:+.3f}  {reason['text']}")
    refused = {refusal["code"] for refusal in answer["refusals"]}
    if refused:
        say(f"  refused: {', '.join(sorted(refused))}")
    same = answer["action"] == batch.action and answer["decision_id"] == batch.decision_id
    say("  the same decision as in the batch" if same else f"  the batch decided {batch.action}")


def _free_port(wanted: int) -> int:
    for port in range(wanted, wanted + 50):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            if port != wanted:
                say(f"port {wanted} is taken; using {port}")
            return port
    return wanted
