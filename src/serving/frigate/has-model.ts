import type { RequestDesk } from '../../runtime/device/requests/request-desk.ts'

/** Whether the cluster knows a model by that name, which may be one of several that it has. */
export const hasModel = (desk: RequestDesk, name: string): boolean => {
  try {
    desk.model(name)
    return true
  } catch {
    return false
  }
}
