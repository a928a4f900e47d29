import { createHash } from "node:crypto";
import { get as httpGet } from "node:http";
import { get as httpsGet, type RequestOptions } from "node:https";
import { Fault } from "../core/model/fault.ts";

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 1024 * 1024;

/**
 * The PEM certificates at `url`. It must be https with a certificate that the system trusts, or name the SHA-256
 * of the file in its fragment (`#sha256=HEX`), which is then what is trusted, whatever the transport.
 * Rejects with a Fault `certificate` when it cannot be had within `timeoutMs`, is not a 200, not PEM, or not what was pinned.
 */
export async function fetchCa(url: string, timeoutMs: number = TIMEOUT_MS): Promise<string> {
  const fault = (why: string, cause?: unknown): Fault =>
    new Fault("certificate", `fetch CA from ${url}: ${why}`, { cause });
  if (!URL.canParse(url)) throw fault("it is not a URL");
  const at = new URL(url);
  const pin = /^#sha256=([0-9a-f]{64})$/i.exec(at.hash)?.[1]?.toLowerCase();
  if (pin === undefined && at.hash !== "")
    throw fault("the fragment is not sha256= and 64 hex digits");
  if (at.protocol !== "https:" && (at.protocol !== "http:" || pin === undefined)) {
    throw fault("it must be https, or http with #sha256=HEX of the file");
  }
  const options = {
    signal: AbortSignal.timeout(timeoutMs),
    rejectUnauthorized: pin === undefined,
  };
  const bytes = await download(at, options, fault);
  const hash = createHash("sha256").update(bytes).digest("hex");
  if (pin !== undefined && hash !== pin) throw fault(`its SHA-256 is ${hash}`);
  const pem = bytes.toString("utf8");
  if (!pem.includes("-----BEGIN CERTIFICATE-----")) throw fault("it is not a PEM certificate");
  return pem;
}

function download(
  url: URL,
  options: RequestOptions,
  fault: (why: string, cause?: unknown) => Fault,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const get = url.protocol === "https:" ? httpsGet : httpGet;
    const request = get(url, options, (response) => {
      if (response.statusCode !== 200) {
        request.destroy(fault(`the server answered ${response.statusCode}`));
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
      response.on("end", () => resolve(Buffer.concat(pieces)));
    });
    request.on("error", (error) =>
      reject(error.name === "Fault" ? error : fault(error.message, error)),
    );
  });
}
