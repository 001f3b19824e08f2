
export default function ({ data }) {
  whenReady((library) => library.store.put(data.digest, data));
}
