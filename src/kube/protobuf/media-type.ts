/** The media type of Kubernetes objects in protobuf. */
export const PROTOBUF = "application/vnd.kubernetes.protobuf";

/** Whether an answer of this content type is Kubernetes protobuf, parameters such as `stream=watch` aside. */
export function isProtobuf(contentType: string): boolean {
  return mediaType(contentType) === PROTOBUF;
}

/** Whether an answer of this content type is JSON; one that names no type is taken for it. */
export function isJson(contentType: string): boolean {
  const type = mediaType(contentType);
  return type === "application/json" || type === "";
}

function mediaType(contentType: string): string {
  return (contentType.split(";")[0] ?? "").trim().toLowerCase();
}
