import { Fault, faultCode } from "../core/model/fault.ts";
import type { PodRecord } from "../core/model/pod.ts";
import type { ListPage } from "../core/reflector/store.ts";
import type { ListWatch } from "../runtime/list-watch.ts";
import type { ApiClient } from "./api-client.ts";
import { listQuery, watchQuery, type Selectors } from "./collection-query.ts";
import { JsonListBody, JsonWatchBody, probeVersion } from "./json-list-watch.ts";
import { podFromJson } from "./pod.ts";
import { isJson, isProtobuf, PROTOBUF } from "./protobuf/media-type.ts";
import { PodListBody } from "./protobuf/pod-list.ts";
import { PodWatchBody } from "./protobuf/pod-watch.ts";
import { PodDecoder } from "./protobuf/pod.ts";

/** Which pods, and what is kept of them. */
export interface PodListWatchOptions extends Selectors {
  readonly keepAnnotations: ReadonlySet<string>;
}

const PATH = "/api/v1/pods";
const LISTED = `list ${PATH}`;
const WATCHED = `watch ${PATH}`;
const JSON_ONLY = "application/json";
const EITHER = `${PROTOBUF}, ${JSON_ONLY}`;
/** Of pages in protobuf, which are decoded as they come and never held. */
const PAGE_LIMIT = "5000";

type ListRequest = Parameters<ListWatch<PodRecord>["list"]>[0];
type ProbeRequest = Parameters<ListWatch<PodRecord>["probe"]>[0];
type WatchRequest = Parameters<ListWatch<PodRecord>["watch"]>[0];

/** What takes an answer in; made when its content type is known. */
interface Body<R> {
  push(piece: Buffer): void;
  end(): R;
}

/**
 * All pods of a cluster, in protobuf as far as the server speaks it, else in JSON.
 * A list in protobuf comes in one answer, whatever `limit` says, and is decoded as it arrives; when such an answer did
 * not come whole, the next list comes in pages. In JSON, where an answer is held whole, pages have `limit` pods.
 */
export function podListWatch(
  client: ApiClient,
  options: PodListWatchOptions,
): ListWatch<PodRecord> {
  return new PodListWatch(client, options);
}

class PodListWatch implements ListWatch<PodRecord> {
  readonly #client: ApiClient;
  readonly #selectors: Selectors;
  readonly #decode: (object: unknown) => PodRecord;
  readonly #listDecoder: PodDecoder;
  readonly #watchDecoder: PodDecoder;
  #accept = EITHER;
  /** Whether the next list comes in pages: since a list was begun, none was completed. */
  #pages = false;

  constructor(client: ApiClient, { keepAnnotations, ...selectors }: PodListWatchOptions) {
    this.#client = client;
    this.#selectors = selectors;
    this.#decode = (object) => podFromJson(object, keepAnnotations);
    this.#listDecoder = new PodDecoder(LISTED, keepAnnotations);
    this.#watchDecoder = new PodDecoder(WATCHED, keepAnnotations);
  }

  async list(request: ListRequest): Promise<ListPage> {
    return this.#orInJson(async () => {
      const isWhole = !this.#pages && this.#accept === EITHER && request.continueToken === "";
      this.#pages = true;
      const page = await this.#page(request, isWhole ? undefined : this.#pageLimit(request.limit));
      this.#pages = page.continueToken !== "";
      return page;
    });
  }

  async watch(request: WatchRequest): Promise<void> {
    await this.#orInJson(async () =>
      this.#stream(WATCHED, watchQuery(this.#selectors, request), request, (contentType) => {
        const body = isProtobuf(contentType)
          ? new PodWatchBody(WATCHED, this.#watchDecoder, request.onEvent)
          : new JsonWatchBody(WATCHED, this.#decode, request.onEvent);
        request.onOpen();
        return body;
      }),
    );
  }

  async probe({ signal }: ProbeRequest): Promise<{ readonly resourceVersion: string }> {
    return probeVersion(this.#client, PATH, this.#selectors, signal);
  }

  async #page(request: ListRequest, limit: string | undefined): Promise<ListPage> {
    return this.#stream(
      LISTED,
      listQuery(this.#selectors, request, limit),
      request,
      (contentType) => {
        request.onBytes();
        if (isProtobuf(contentType)) {
          return new PodListBody(LISTED, this.#listDecoder, request.onItem);
        }
        if (limit === undefined) throw new SpeaksJson();
        const body = new JsonListBody(LISTED, this.#decode);
        return {
          push: (piece: Buffer) => body.push(piece),
          end: () => body.end(request.onItem),
        };
      },
    );
  }

  #pageLimit(limit: number): string {
    return this.#accept === EITHER ? PAGE_LIMIT : String(limit);
  }

  async #stream<R>(
    what: string,
    query: Readonly<Record<string, string | undefined>>,
    { signal, onBytes }: { readonly signal: AbortSignal; readonly onBytes: () => void },
    open: (contentType: string) => Body<R>,
  ): Promise<R> {
    let body: Body<R> | undefined;
    await this.#client.stream({
      path: PATH,
      query,
      signal,
      accept: this.#accept,
      onOpen: (contentType) => {
        if (!isProtobuf(contentType) && !isJson(contentType)) {
          throw new Fault(
            "malformed",
            `${what}: the answer is ${contentType}, asked for protobuf or JSON`,
          );
        }
        body = open(contentType);
      },
      onPiece: (piece) => {
        onBytes();
        body?.push(piece);
      },
    });
    if (body === undefined) throw new Fault("malformed", `${what}: the answer has no head`);
    return body.end();
  }

  /** Asks once more, and from then on, for JSON alone when the server does not speak protobuf. */
  async #orInJson<R>(ask: () => Promise<R>): Promise<R> {
    try {
      return await ask();
    } catch (error) {
      if (this.#accept === JSON_ONLY || !isForJson(error)) throw error;
      this.#accept = JSON_ONLY;
      return ask();
    }
  }
}

/** The server would answer the whole collection in JSON. */
class SpeaksJson extends Error {
  override readonly name: string = "SpeaksJson";
}

/** Whether the server cannot answer in protobuf: it says so (406, 415), or does not do so. */
function isForJson(error: unknown): boolean {
  if (error instanceof SpeaksJson) return true;
  if (faultCode(error) === undefined) return false;
  const { status } = error as Fault;
  return status === 406 || status === 415;
}
