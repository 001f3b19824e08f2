
const hub = (globalThis.ssdHub ??= { library: null, waiting: [] });
hub.library = { ...globalThis.ssdCanvas, store: hub.library?.store ?? new globalThis.ssdCanvas.BlobStore() };
hub.waiting.splice(0).forEach((act) => act(hub.library));

export default function () {}
