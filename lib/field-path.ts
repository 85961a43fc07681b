const plainKey = /^[A-Za-z_$][\w$]{0,59}$/
const most = 12

/** Writes the way to a field as code does: `items[2].price`. Cuts what is too deep or too long to help anybody. */
export function fieldPath(keys: readonly (string | number)[]): string {
  let text = ''
  for (const key of keys.slice(0, most)) {
    if (typeof key === 'number') text += `[${key}]`
    else if (plainKey.test(key)) text += text === '' ? key : `.${key}`
    else text += `[${JSON.stringify(key.length > 60 ? `${key.slice(0, 60)}…` : key)}]`
  }
  return keys.length > most ? `${text}…` : text
}
