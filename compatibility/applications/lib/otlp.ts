/**
 * Counts the spans in an OTLP request, and those of kind server among them. Pure.
 *
 * Source: opentelemetry-proto, collector/trace/v1/trace_service.proto and trace/v1/trace.proto:
 * ExportTraceServiceRequest.resource_spans = 1, ResourceSpans.scope_spans = 2, ScopeSpans.spans = 2, Span.kind = 6
 * (SPAN_KIND_SERVER = 2). The encoding: protobuf.dev, "Encoding".
 */

const SERVER = 2;

export interface SpanCount {
  readonly spans: number;
  readonly ofServer: number;
}

/** @throws Error if the bytes are not such a message */
export function countSpans(request: Buffer): SpanCount {
  const spans = messagesIn(request, 1)
    .flatMap((resource) => messagesIn(resource, 2))
    .flatMap((scope) => messagesIn(scope, 2));
  const ofServer = spans.filter((span) => fieldsOf(span).some(({ number, value }) => number === 6 && value === SERVER));
  return { spans: spans.length, ofServer: ofServer.length };
}

interface Field {
  readonly number: number;
  /** A number for a varint, bytes for a field with a length; null for unused numbers of fixed size. */
  readonly value: number | Buffer | null;
}

function messagesIn(message: Buffer, field: number): Buffer[] {
  return fieldsOf(message).flatMap(({ number, value }) => (number === field && Buffer.isBuffer(value) ? [value] : []));
}

function fieldsOf(message: Buffer): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): number => {
    for (let value = 0, scale = 1; ; scale *= 128) {
      const byte = message[at++];
      if (byte === undefined) throw new Error('cut short');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        fields.push({ number, value: varint() });
        break;
      case 1:
        fields.push({ number, value: null });
        at += 8;
        break;
      case 2: {
        const length = varint();
        fields.push({ number, value: message.subarray(at, at + length) });
        at += length;
        break;
      }
      case 5:
        fields.push({ number, value: null });
        at += 4;
        break;
      default:
        throw new Error(`wire type ${tag % 8}`);
    }
    if (at > message.length) throw new Error('cut short');
  }
  return fields;
}
