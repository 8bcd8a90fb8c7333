/**
 * A zone signed by another program: dnssec-signzone of BIND 9.18.49, NSEC, one
 * ECDSAP256SHA256 key that nobody has kept. Valid from 2026 to 2038.
 */
export const SIGNED_APEX = "signed.test.";

/** Its records, absolute, as a master file. */
export const SIGNED_ZONE = `
signed.test. 3600 IN SOA ns.signed.test. hostmaster.signed.test. 5 7200 3600 1209600 300
signed.test. 3600 IN RRSIG SOA 13 2 3600 20380101000000 20260101000000 49630 signed.test. DU8e4edM8HSoEsxK4lztprjZ+xme/CUQ7cIZ0jtU86YxmDBPQsRwYK4R nxpjDkTSLSC3HvFrEUELSGhnMiDdRA==
signed.test. 3600 IN NS ns.signed.test.
signed.test. 3600 IN RRSIG NS 13 2 3600 20380101000000 20260101000000 49630 signed.test. nilLwlYr/+FKzZc13fg2IJ7fKKSG1HgesRSs+8D+gVjm+AZA2APijK+A EWmx0geLY7zlvIWrL9/BKMjpWxrGkg==
signed.test. 3600 IN MX 10 mail.signed.test.
signed.test. 3600 IN RRSIG MX 13 2 3600 20380101000000 20260101000000 49630 signed.test. qSW6/x108q8WjNzqWXPpJkZvUvFp58f+kXOLKok+htnB3lr4BR0K9o+3 MihT8yU56jkFGqRzN5aLtCRa7+oIJg==
signed.test. 300 IN NSEC c.signed.test. NS SOA MX RRSIG NSEC DNSKEY
signed.test. 300 IN RRSIG NSEC 13 2 300 20380101000000 20260101000000 49630 signed.test. /EcnvkrlYDv5PixZ4QwBd+L45IVOS6XG1diQpdfoOGzs5rCSGbk1ctn7 mk/aS79BbbT/FUJBQOsc4uY9B/7IxQ==
signed.test. 300 IN DNSKEY 257 3 13 qaVX0JlXTwW1OClcY68nJaKhOZCLBqfou32Wnn4VQKu20GYLDZYJ+ruU eCGWtRqUD2N3xv2Iz0r9gKZy16Vhkw==
signed.test. 300 IN RRSIG DNSKEY 13 2 300 20380101000000 20260101000000 49630 signed.test. M7KbREAvUZ1iIh/vbAw8vn1Wj953QPbNT6PHbC/mZJDsD8Pok4BVrjTK y6OH/93VeAvUGbNjAdBvgnSUGSnaeQ==
ns.cut.signed.test. 300 IN A 192.0.2.95
cgone.signed.test. 300 IN CNAME nothing.signed.test.
cgone.signed.test. 300 IN RRSIG CNAME 13 3 300 20380101000000 20260101000000 49630 signed.test. jdXa0V0K9NdTM1CPfNGVS2GJDm2Ue5lWih08z77OLcJ0mYwtN50mPZkN cHbCTFet8gEvJCBDL0HQyizMxvwUFg==
cgone.signed.test. 300 IN NSEC cut.signed.test. CNAME RRSIG NSEC
cgone.signed.test. 300 IN RRSIG NSEC 13 3 300 20380101000000 20260101000000 49630 signed.test. axqo2Sg8WYYMMVoB6u8JN2Z0ttcLYLxm1eT0nFdA5bRWvp7puaIS1H6N c1TTTYSY5vjH8IfHqbQqm8JRT3V4YQ==
ns.cutds.signed.test. 300 IN A 192.0.2.94
cut.signed.test. 300 IN NS ns.cut.signed.test.
cut.signed.test. 300 IN NSEC cutds.signed.test. NS RRSIG NSEC
cut.signed.test. 300 IN RRSIG NSEC 13 3 300 20380101000000 20260101000000 49630 signed.test. gihTe0AWsfweI1k4CyrbnnkkUS5X2RQ+A5uwesNCKkwc2vgyWKo8LSuy PRh5nJYqYpqGnrWOWP5OpBW/k1qjIg==
c.signed.test. 300 IN CNAME www.signed.test.
c.signed.test. 300 IN RRSIG CNAME 13 3 300 20380101000000 20260101000000 49630 signed.test. qEhm6WcNnD0fbV74qMh908ul6mAzGqCr2lvBAfP7vtpGqgbXOgp+QhNf DhaT8RaRvevIKTpiS00IOdvQxP1nhA==
c.signed.test. 300 IN NSEC cgone.signed.test. CNAME RRSIG NSEC
c.signed.test. 300 IN RRSIG NSEC 13 3 300 20380101000000 20260101000000 49630 signed.test. /tDJumnPpi4r4avzQpYwEhjFdZvsghQkz1hhNjLoTHLFOhh2fcB0bq3H UPVotR1jhR5UGV/cLSccQcNKTJRAfQ==
cutds.signed.test. 300 IN NS ns.cutds.signed.test.
cutds.signed.test. 300 IN DS 4713 13 2 EFEFEFEFEFEFEFEFEFEFEFEFEFEFEFEFEFEFEFEFEFEFEFEFEFEFEFEF EFEFEFEF
cutds.signed.test. 300 IN RRSIG DS 13 3 300 20380101000000 20260101000000 49630 signed.test. TTrw23KPx1vGbb1jaURMdelWxDchWnZ4YifKgg3nGbFdYYxN1ikm9DOM nSDKe27DGHXbQCH4diRY9xqsNFwbXQ==
cutds.signed.test. 300 IN NSEC *.cwild.signed.test. NS DS RRSIG NSEC
cutds.signed.test. 300 IN RRSIG NSEC 13 3 300 20380101000000 20260101000000 49630 signed.test. iEYRlv4PSItZyC0QiYchuc5bjbkXJeoLIOQS8o7g+NHDQrL9HdDBbEjR ClPz8jxz2ZHL08pi64U9pGCcEvR4uw==
*.cwild.signed.test. 300 IN CNAME www.signed.test.
*.cwild.signed.test. 300 IN RRSIG CNAME 13 3 300 20380101000000 20260101000000 49630 signed.test. ljwfWZX6IrxWZVqNjlxqtNNVKalaS0BPQ9bRrXqp4zxiTQjZ914Ot+hP cla84cqDbFihclphcXu7qJBTkoUH/g==
*.cwild.signed.test. 300 IN NSEC dn.signed.test. CNAME RRSIG NSEC
*.cwild.signed.test. 300 IN RRSIG NSEC 13 3 300 20380101000000 20260101000000 49630 signed.test. cXOXrNDlc2Zq0yvlNZKKDUv+OHdxnNoEmTsEu5E0OFDOThiWhvLGB0KR FL2iQVJLVYDvQ0zlEm58Y3r01+OxaQ==
deep.ent.signed.test. 300 IN A 192.0.2.96
deep.ent.signed.test. 300 IN RRSIG A 13 4 300 20380101000000 20260101000000 49630 signed.test. 7FD2XxPsfssOO6lVcgzvgj52lBAaY9M9OLFokIs7xQthYv4SrA5ppMPQ qr/B1aqM2lcwQ9XuZql6z5F9ANsduw==
deep.ent.signed.test. 300 IN NSEC mail.signed.test. A RRSIG NSEC
deep.ent.signed.test. 300 IN RRSIG NSEC 13 4 300 20380101000000 20260101000000 49630 signed.test. zKBcHudPZ8qDWhCng4RYig8AS+wN3A42paMZS6ciC7v8iJdi6ze7IQHB Mja2XjGhTDjx7dJlZIQbdJZLmTEYFQ==
dn.signed.test. 300 IN DNAME wild.signed.test.
dn.signed.test. 300 IN RRSIG DNAME 13 3 300 20380101000000 20260101000000 49630 signed.test. QM0G90HO50uU0mW8eMS+6XyHRcWuqjsRrJhz24Z33gGq4VfaoRmPtnJX 6cU5EPL7ibxCjQ/9KuMMrDXJdGAayQ==
dn.signed.test. 300 IN NSEC deep.ent.signed.test. DNAME RRSIG NSEC
dn.signed.test. 300 IN RRSIG NSEC 13 3 300 20380101000000 20260101000000 49630 signed.test. 2NWOrNVkDc9ZIQ7bTXbIa+TP2pZqKjR7oBfzvLYblanjAbJqa4hKDQNY ANGsbpxK7pH+g+TQ2auzBQk53hkfTw==
mail.signed.test. 300 IN A 192.0.2.91
mail.signed.test. 300 IN RRSIG A 13 3 300 20380101000000 20260101000000 49630 signed.test. PJbUoFO1R8oSdLVhY9yR5x4HHZDbDDt58RXoZrge03QKvg1LdWkLDoM7 SZPBs0x/XV4CyaY4Ou8WBWDXK2mWrQ==
mail.signed.test. 300 IN NSEC ns.signed.test. A RRSIG NSEC
mail.signed.test. 300 IN RRSIG NSEC 13 3 300 20380101000000 20260101000000 49630 signed.test. RmslnQszFvJtClkbAP8mesaMrJRviwrU9PrToT4nm4CwJN33xTYPAgyy Oynyu0sKQ1tZGW3p0J+fu3xdA482ww==
www.signed.test. 600 IN A 192.0.2.92
www.signed.test. 600 IN RRSIG A 13 3 600 20380101000000 20260101000000 49630 signed.test. EfsZlxhabuoiV/82Qu5cNWbSInSHQr9Ubdm/1PVUsIFj3PFUoC8oTPYS C7j0Ts2m7F0m0jRzfI1pL3+S552HtA==
www.signed.test. 60 IN TXT "another TTL"
www.signed.test. 60 IN RRSIG TXT 13 3 60 20380101000000 20260101000000 49630 signed.test. nnHMrEVMxUPiMoR9l3YjC8pAVTx9Y1wVYu6n2FbwK6eRx3/zregZV9o9 rn99d5iB1VHqHDpHZILuzEJsXg91Pg==
www.signed.test. 300 IN NSEC signed.test. A TXT RRSIG NSEC
www.signed.test. 300 IN RRSIG NSEC 13 3 300 20380101000000 20260101000000 49630 signed.test. owRkkNOjiztaw667dFnQBbbtd2cRvuU+Sc7RbW2Bax4All8/sd5X9Aoh AynoCK5jjfZvsZMkb1iFAHMu5B50dA==
*.wild.signed.test. 300 IN A 192.0.2.93
*.wild.signed.test. 300 IN RRSIG A 13 3 300 20380101000000 20260101000000 49630 signed.test. yje7egmZNolXTOzA6j/SuxSKd+KMkmDzKkweSVXvkKlbZoD+Cxegwc+r +N0hZSCgUgQ3cDZQSEl21wRhLBrUoA==
*.wild.signed.test. 300 IN NSEC www.signed.test. A RRSIG NSEC
*.wild.signed.test. 300 IN RRSIG NSEC 13 3 300 20380101000000 20260101000000 49630 signed.test. ITWCeLXqsfWswy8uJKOxxhyL2lklb9IpV0rV26n+OtV2R8Grk0DqzZPc erLDT1XHD0SjT1YjDZkabuJ7j68qpA==
ns.signed.test. 300 IN A 192.0.2.90
ns.signed.test. 300 IN RRSIG A 13 3 300 20380101000000 20260101000000 49630 signed.test. 0+69z5o3wqP9kWQjOGta3TvHrkPOq4wFSVcByV1ojti7XQk1TbDbeNaJ Q2OpAVzU4BEj42+XlTtrmo2seBiJoA==
ns.signed.test. 300 IN NSEC *.wild.signed.test. A RRSIG NSEC
ns.signed.test. 300 IN RRSIG NSEC 13 3 300 20380101000000 20260101000000 49630 signed.test. wGM+mpBne/+TcLUmLg7i6LE+tBJOrOZSOLTi+9EbqzCLtK9mCQpZ7Npk BoepqPKOaCt3rdb3ETCWw67rkJlz3A==
`;
