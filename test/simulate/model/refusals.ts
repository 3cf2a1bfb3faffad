/** The database is below the epoch that Kafka has told of: an old writer. */
export class OldWriterError extends Error {
  readonly code = 'VT001';
  constructor(epoch: number, epochMin: number) {
    super(`old writer: epoch ${epoch}, ${epochMin} was seen`);
    this.name = 'OldWriterError';
  }
}

/** The log belongs to a region that was declared lost. */
export class UnreadLogError extends Error {
  readonly code = 'VT002';
  constructor(name: string) {
    super(`the log ${name} is not read: its region was declared lost`);
    this.name = 'UnreadLogError';
  }
}

/** What pg throws when the connection to the server is lost. */
export class ConnectionLostError extends Error {
  readonly code = 'ECONNRESET';
  constructor(why: string) {
    super(`Connection terminated: ${why}`);
    this.name = 'ConnectionLostError';
  }
}

/** SQLSTATE 25006. */
export class ReadOnlyError extends Error {
  readonly code = '25006';
  constructor() {
    super('cannot execute in a read-only transaction');
    this.name = 'ReadOnlyError';
  }
}
