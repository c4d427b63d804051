"""Messages between the trusted process and a worker: framing, encoding, requests, proxies."""
