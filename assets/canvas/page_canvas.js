
const mounted = new WeakMap();

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  let steps = 0;
  const events = {
    view: (snapshot) => setStateValue("view", snapshot),
    step: (by) => setTriggerValue("step", { by, number: (steps += 1) }),
  };
  whenReady((library) => {
    const canvas = mounted.get(parentElement);
    if (canvas) canvas.update(data, events);
    else mounted.set(parentElement, library.mountCanvas(parentElement, data, events, library.store));
  });
  return () => {
    mounted.get(parentElement)?.destroy();
    mounted.delete(parentElement);
  };
}
