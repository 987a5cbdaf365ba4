import { parseMqttAddress } from '../runtime/io/mqtt-address.ts'
import { openMqtt } from '../runtime/io/open-mqtt.ts'
import type { SourceSpec } from '../runtime/io/source-spec.ts'
import { mqttAddressOf } from '../runtime/io/source-spec.ts'
import { systemClock } from '../runtime/system-clock.ts'
import { createMqttFeed } from './create-mqtt-feed.ts'
import { createStdinFeed } from './create-stdin-feed.ts'
import { createVideoFeed } from './create-video-feed.ts'
import { createWatchFeed } from './create-watch-feed.ts'
import type { Feed } from './feed.ts'
import { unacknowledgedOf } from './unacknowledged-of.ts'
import { WatchJournal } from './watch-journal.ts'

export interface CreateFeedParts {
  readonly spec: SourceSpec
  /** `name@device`. */
  readonly id: string
  /** Of the state. */
  readonly stateFolder: string
  /** Whether a datum of the process before has its line in the sink. */
  readonly has: (datum: number) => boolean
  readonly say: (text: string, level?: 'warn') => void
}

/** What brings the items of a live source. @throws UserError when its state cannot be read or written */
export const createFeed = ({ spec, id, stateFolder, has, say }: CreateFeedParts): Feed => {
  switch (spec.kind) {
    case 'stdin':
      return createStdinFeed(spec)
    case 'watch': {
      const journal = new WatchJournal({ source: id, folder: stateFolder, has, say })
      return createWatchFeed({ folder: spec.folder, settle: spec.settle, journal, clock: systemClock, say })
    }
    case 'mqtt': {
      const address = parseMqttAddress(mqttAddressOf(spec.argument), `source ${spec.name}`)
      const unacknowledged = unacknowledgedOf(spec.window, spec.admission.queue)
      const open = () => openMqtt({ address, clientId: `tributary-${id}`, unacknowledged, clock: systemClock, say })
      return createMqttFeed({ topic: address.topic, qos: spec.qos, open })
    }
    case 'video':
      return createVideoFeed({ video: { ...spec, input: spec.argument }, clock: systemClock, say })
    default:
      throw new TypeError(`${spec.kind} is no live source`)
  }
}
