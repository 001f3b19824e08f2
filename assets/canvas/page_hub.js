// The one place on the page where the canvas's parts find each other, in any order.
const hub = (globalThis.ssdHub ??= { library: null, waiting: [] });
function whenReady(act) {
  if (hub.library) act(hub.library);
  else hub.waiting.push(act);
}
