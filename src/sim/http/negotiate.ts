import { PROTOBUF } from "../api/decode.ts";
import { ApiError } from "../api/errors.ts";

/** How a response is written. */
export interface Format {
  readonly encoding: "json" | "yaml" | "protobuf";
  /** What the objects are turned into first. */
  readonly as: "object" | "table" | "metadata";
  /** The Content-Type of the response, streams aside. */
  readonly contentType: string;
  /** Whether JSON is indented, as for people. */
  readonly pretty: boolean;
}

/**
 * Chooses the first format in `accept` that is served. `protobuf` says whether the kind has a protobuf form.
 * Throws 406 when nothing fits.
 */
export function negotiate(
  accept: string,
  options: { readonly protobuf: boolean; readonly pretty: boolean; readonly stream?: boolean },
): Format {
  const clauses = accept === "" ? ["application/json"] : accept.split(",");
  for (const clause of clauses) {
    const [type = "", ...rest] = clause.split(";").map((part) => part.trim());
    const parameters = new Map(rest.map((part) => part.split("=", 2) as [string, string]));
    const asMetadata = (parameters.get("as") ?? "").startsWith("PartialObjectMetadata");
    const encoding = encodingOf(type, options.protobuf || asMetadata);
    if (encoding === undefined) continue;
    if (parameters.get("stream") !== undefined && options.stream !== true) continue;
    const as = shapeOf(parameters);
    if (as === undefined || (as === "table" && encoding === "protobuf")) continue;
    return {
      encoding,
      as,
      contentType: mediaType(encoding),
      pretty: options.pretty,
    };
  }
  const offered = ["application/json", "application/yaml", PROTOBUF];
  if (!options.protobuf)
    throw new ApiError(
      406,
      "NotAcceptable",
      `only the following media types are accepted: ${offered.join(", ")}`,
    );
  const streams = offered
    .filter((type) => !type.endsWith("yaml"))
    .map((type) => `${type};stream=watch`);
  throw new ApiError(
    406,
    "NotAcceptable",
    `406: Not Acceptable\n\nAvailable representations: ${[...offered, ...streams].join(", ")}`,
    {},
  );
}

function mediaType(encoding: Format["encoding"]): string {
  return encoding === "protobuf" ? PROTOBUF : `application/${encoding}`;
}

function encodingOf(type: string, protobuf: boolean): Format["encoding"] | undefined {
  switch (type) {
    case "*/*":
    case "application/*":
    case "application/json":
      return "json";
    case "application/yaml":
      return "yaml";
    case PROTOBUF:
      return protobuf ? "protobuf" : undefined;
    default:
      return undefined;
  }
}

function shapeOf(parameters: ReadonlyMap<string, string>): Format["as"] | undefined {
  const as = parameters.get("as");
  if (as === undefined) return "object";
  if (parameters.get("g") !== "meta.k8s.io") return undefined;
  const version = parameters.get("v");
  if (version !== "v1" && version !== "v1beta1") return undefined;
  if (as === "Table") return "table";
  return as === "PartialObjectMetadata" || as === "PartialObjectMetadataList"
    ? "metadata"
    : undefined;
}
