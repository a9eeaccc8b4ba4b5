"""A simulated exchange: recorded or made-up candles over HTTP, in the wire formats of Kraken, Coinbase and Binance."""
