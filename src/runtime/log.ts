/** Values of a log line. Field names are fixed (style: `cluster`, `namespace`, `name`, `set`, `ip`, `node`, `error`, …). */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * Where log lines go. The message is a constant; everything variable is a field.
 * `error`: a person must act. `warn`: it will heal. `info`: state changed. `debug`: each event.
 */
export interface Log {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
}

/** A Log that adds `fields` to every line. */
export function withFields(log: Log, fields: LogFields): Log {
  return {
    error: (message, more) => log.error(message, { ...fields, ...more }),
    warn: (message, more) => log.warn(message, { ...fields, ...more }),
    info: (message, more) => log.info(message, { ...fields, ...more }),
    debug: (message, more) => log.debug(message, { ...fields, ...more }),
  };
}
