import type { Attack } from './attack.ts'
import { DEVICE_ATTACKS } from './device-attacks.ts'
import { doorAttacks } from './door-attacks.ts'
import { FLOOD_ATTACKS } from './flood-attacks.ts'
import { INPUT_ATTACKS } from './input-attacks.ts'
import { invites } from './invite-attacks.ts'
import { rawAttacks } from './raw-attacks.ts'
import { sourceAttacks } from './source-attacks.ts'
import { WORD_ATTACKS } from './word-attacks.ts'

/** Those that ask other devices for other flags come after the rest, and whoever leaves another cluster behind comes last. */
export const allAttacks = (): readonly Attack[] => [
  ...[
    ...WORD_ATTACKS,
    ...FLOOD_ATTACKS,
    ...rawAttacks(),
    ...doorAttacks(),
    ...INPUT_ATTACKS,
    ...sourceAttacks(),
    ...DEVICE_ATTACKS
  ],
  invites()
]
