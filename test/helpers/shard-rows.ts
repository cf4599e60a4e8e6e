/** Column `data` of a row of `shards`, owner included, as a server of 1.29.1 wrote it into PostgreSQL (`select encode(data, 'base64') from shards`). */
export const SHARD_INFO =
  'CAEQARo3MTI3LjAuMC4xOjE3MjM0LTEwLWUxOThlZjRjLTRjYWMtNDg0Zi04NTJhLTVkNWY0NmE3YTJlODoLCPOChtgGEK2y2jOKAQwIARIIEgYKABCAgEA=';
