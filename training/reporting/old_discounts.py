"""The report's words on discount learning, in both languages."""

from __future__ import annotations

from collections.abc import Mapping

PT: Mapping[str, object] = {
    "title": "Desconto ensina a esperar?",
    "not_available": "Não disponível",
    "effect_note": "Efeito de oferecer um desconto sobre pagar depois o valor cheio, nos {after} dias após os {valid} "
    "de validade, contra um contato sem oferta no mesmo canal, ponderado pelas probabilidades registradas; diferença "
    "de parcelas das contas. Quem aceita a oferta não está esperando: conta como quem não pagaria depois, e como quem "
    "pagaria; o efeito sobre os demais fica entre os dois. Sim, só se até a segunda perda passa, com certeza, de "
    "{matters} de quem pagaria; não, se nem a primeira passa. Entre colchetes, o intervalo de 95 %, por devedor.",
    "group": "Sobre quem",
    "groups": {"everybody": "todos", "repeat_non_payers": "quem já recebeu desconto e não pagou nada em um ano"},
    "otherwise": "Pagam depois, sem desconto",
    "takers_lost": "Se quem aceita não pagaria depois",
    "takers_kept": "Se quem aceita pagaria depois",
    "effective": "Linhas efetivas, com / sem desconto",
    "verdict": "Aprendem a esperar?",
    "verdicts": {"yes": "sim", "no": "não", "not_established": "não estabelecido"},
    "table_note": "Quem paga em {days} dias após um contato, como registrado. Descontos não são oferecidos ao acaso: "
    "duas células diferem por mais do que a oferta.",
    "earlier": "Descontos antes",
    "before": "Pagamentos no ano anterior",
    "paid_before": {"nothing": "nenhum", "after_discount": "com desconto", "in_full": "só valor cheio"},
    "with_discount": "Contatos com desconto",
    "without_discount": "Contatos sem desconto",
    "paid": "Pagam",
}
EN: Mapping[str, object] = {
    "title": "Do discounts teach waiting?",
    "not_available": "Not available",
    "effect_note": "Effect of offering a discount on paying in full later, in the {after} days after the {valid} of "
    "its validity, against a contact with no offer on the same channel, weighted by the logged probabilities; a "
    "difference of shares of the accounts. Who takes the offer is not waiting: counted as if they would not have paid "
    "later, and as if they would; the effect on the others lies between. Yes, where even the second loss is, for "
    "certain, more than {matters} of those who would pay; no, where not even the first is. In brackets the 95 % "
    "interval, by debtor.",
    "group": "On whom",
    "groups": {"everybody": "everybody", "repeat_non_payers": "offered a discount before, nothing paid in a year"},
    "otherwise": "Pay later, without a discount",
    "takers_lost": "If takers would not have paid later",
    "takers_kept": "If takers would have paid later",
    "effective": "Effective rows, with / without a discount",
    "verdict": "Do they learn to wait?",
    "verdicts": {"yes": "yes", "no": "no", "not_established": "not established"},
    "table_note": "Who pays within {days} days after a contact, as it was logged. Discounts are not offered at random: "
    "two cells differ by more than the offer.",
    "earlier": "Discounts before",
    "before": "Payments in the year before",
    "paid_before": {"nothing": "none", "after_discount": "at a discount", "in_full": "in full alone"},
    "with_discount": "Contacts with a discount",
    "without_discount": "Contacts without",
    "paid": "Pay",
}
