import { get } from "node:https";
import { Fault } from "../core/model/fault.ts";

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 1024 * 1024;

/**
 * The PEM certificates at `url`, which must be https with a certificate that the system trusts.
 * Rejects with a Fault `certificate` when it cannot be had within 10 s, is not a 200, or is not PEM.
 */
export async function fetchCa(url: string): Promise<string> {
  const fault = (why: string, cause?: unknown): Fault =>
    new Fault("certificate", `fetch CA from ${url}: ${why}`, { cause });
  return new Promise((resolve, reject) => {
    const request = get(url, { signal: AbortSignal.timeout(TIMEOUT_MS) }, (response) => {
      if (response.statusCode !== 200) {
        response.resume();
        reject(fault(`the server answered ${response.statusCode}`));
        return;
      }
      const pieces: Buffer[] = [];
      let length = 0;
      response.on("data", (piece: Buffer) => {
        length += piece.length;
        if (length > MAX_BYTES) request.destroy(fault(`the answer exceeds ${MAX_BYTES} bytes`));
        else pieces.push(piece);
      });
      response.on("error", (error) => reject(fault(error.message, error)));
      response.on("end", () => {
        const pem = Buffer.concat(pieces).toString("utf8");
        if (pem.includes("-----BEGIN CERTIFICATE-----")) resolve(pem);
        else reject(fault("the answer is not a PEM certificate"));
      });
    });
    request.on("error", (error) => reject(fault(error.message, error)));
  });
}
