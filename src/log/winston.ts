import winston from "winston";
import type { Log, LogFields } from "../runtime/log.ts";

/** Levels from the quietest to the most talkative. */
export const LOG_LEVELS = ["error", "warn", "info", "debug"] as const;

/** One of LOG_LEVELS. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A Log that writes one JSON object a line to standard error. */
export function winstonLog(level: LogLevel): Log {
  const logger = winston.createLogger({
    level,
    format: winston.format.combine(winston.format.timestamp(), winston.format.json()),
    transports: [new winston.transports.Console({ stderrLevels: [...LOG_LEVELS] })],
  });
  const at =
    (name: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      logger.log(name, message, fields);
    };
  return { error: at("error"), warn: at("warn"), info: at("info"), debug: at("debug") };
}
