"""Names and messages; a resolver made at import, whose server doesn't exist."""

import dns.exception
import dns.message
import dns.name
import dns.resolver
import dns.zone

resolver = dns.resolver.Resolver(configure=False)
resolver.nameservers = ["127.0.0.1"]
resolver.port = 1
resolver.lifetime = 0.05


def answer(number: int) -> str:
    query = dns.message.make_query(f"herd{number}.example.", "A", id=number)
    zone = dns.zone.from_text(
        f"$TTL 60\n@ SOA a b 1 2 3 4 5\n@ NS a\nw{number} A 127.0.0.{number}", "x."
    )
    try:
        resolver.resolve(f"herd{number}.example.")
        error = "none"
    except dns.exception.DNSException as failure:
        error = type(failure).__name__
    return f"{query.to_wire().hex()} {zone[f'w{number}'].to_text(dns.name.from_text('w'))} {error}"
