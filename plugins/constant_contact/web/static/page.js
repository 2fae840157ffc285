// Times in the reader's zone, and links that leave our frame for Airflow's own pages.
(() => {
  // The zone chosen in Airflow's header, else the browser's.
  const zone = () => {
    try {
      const chosen = JSON.parse(localStorage.getItem("timezone") ?? "null");
      if (chosen && chosen !== "local") {
        new Intl.DateTimeFormat(undefined, { timeZone: chosen });
        return chosen;
      }
    } catch { /* none chosen, or one that this browser does not know */ }
    return undefined;
  };
  const showTimes = (within) => {
    // Swedish writes a time as Airflow does: 2026-01-31 02:00:00
    const format = new Intl.DateTimeFormat("sv-SE", {
      dateStyle: "short", timeStyle: "medium", timeZone: zone(),
    });
    for (const each of within.querySelectorAll("time[datetime]")) {
      const at = format.format(new Date(each.dateTime));
      // "2 hours ago" stays; the time is its hint.
      if ("ago" in each.dataset) each.title = at;
      else each.textContent = at;
    }
  };
  showTimes(document);
  // A time that is typed is meant in the reader's zone, too: the server is told which that is.
  const zoneName = zone() ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const each of document.querySelectorAll("input[name=zone]")) each.value ||= zoneName;
  for (const each of document.querySelectorAll("[data-zone]")) {
    each.textContent = each.closest("form").elements.zone.value;
  }
  document.addEventListener("htmx:afterSwap", () => showTimes(document));
  // What went wrong is told until something goes well; 204 says that it does not yet.
  document.addEventListener("htmx:afterRequest", ({ detail: { xhr } }) => {
    if (xhr.status >= 200 && xhr.status < 400 && xhr.status !== 204) {
      document.getElementById("problem").replaceChildren();
    }
  });
  // A span of time, or from and to: who chooses one has done with the other. Before htmx asks.
  document.addEventListener("change", ({ target }) => {
    const { span, from, to } = target.form?.elements ?? {};
    if (!span || !from || !to) return;
    if (target === span && span.value) from.value = to.value = "";
    if (target === from || target === to) span.value = "";
  }, true);
  addEventListener("storage", () => showTimes(document));

  // Airflow shows our pages in a frame that may not open windows or replace the page around it;
  // that page, which has the same origin, may.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-airflow]");
    if (!link || window.parent === window) return;
    event.preventDefault();
    const outside = window.parent.document.createElement("a");
    outside.href = link.href;
    window.parent.document.body.append(outside);
    outside.click();
    outside.remove();
  });
})();
