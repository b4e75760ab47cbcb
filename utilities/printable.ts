/** Text as a terminal may show it: a name can hold anything, also what moves the cursor or ends a line. */

/** Control characters as \xNN, line ends included. */
export const printable = (text: string): string => text.replace(/[\x00-\x1f\x7f-\x9f]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
