"""An AXFR signed with TSIG, by dnspython: every message is verified.

Arguments: address, port, zone, name of the key, algorithm, secret. Prints how many
messages came, how many of them were signed, and how many records.
"""
import sys

import dns.message
import dns.name
import dns.query
import dns.rdatatype
import dns.tsig

address, port, zone, name, algorithm, secret = sys.argv[1:]
if algorithm == "hmac-md5":
    algorithm = "HMAC-MD5.SIG-ALG.REG.INT"
key = dns.tsig.Key(name, secret, dns.name.from_text(algorithm))
messages = signed = records = 0
for message in dns.query.xfr(
    address, zone, port=int(port), keyring={key.name: key}, keyname=key.name,
    keyalgorithm=key.algorithm, timeout=20, lifetime=60, relativize=False,
):
    messages += 1
    signed += message.had_tsig
    records += sum(len(rrset) for rrset in message.answer)
print(messages, signed, records)
