/** A picture as the live channel brings it. */
export interface LivePicture {
    /** The stream that shows it. */
    id: string;
    /** The instant that it shows, in µs since the Unix epoch. */
    instant: bigint;
    jpeg: Uint8Array<ArrayBuffer>;
}

const LENGTH_BYTES = 2;
const INSTANT_BYTES = 8;

/**
 * Reads a picture: the length of the id in two bytes, the id, the instant in eight, the rest is a JPEG. `null` where that is
 * not what came.
 */
export function readPicture(data: ArrayBuffer): LivePicture | null {
    const view = new DataView(data);
    if (view.byteLength < LENGTH_BYTES) return null;
    const idEnd = LENGTH_BYTES + view.getUint16(0);
    const start = idEnd + INSTANT_BYTES;
    if (view.byteLength <= start) return null;
    return {
        id: new TextDecoder().decode(new Uint8Array(data, LENGTH_BYTES, idEnd - LENGTH_BYTES)),
        instant: view.getBigInt64(idEnd),
        jpeg: new Uint8Array(data, start),
    };
}
