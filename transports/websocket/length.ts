/** Whether a text has more bytes in UTF-8 than that. Nearly always its length tells. */
export function isLonger(text: string, maxBytes: number): boolean {
  if (text.length > maxBytes) return true
  return text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes
}
