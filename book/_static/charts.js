// Draws the charts of a page with the site's one copy of Plotly, once a chart comes near the window.
(() => {
  const charts = [...document.querySelectorAll(".course-chart")];
  const root = document.documentElement;
  const figures = new Map(charts.map((chart) => [chart, chart.querySelector("script").textContent]));
  const drawn = new Set();

  // Contrast with the page: light text 9.3, dark text 11.5. Series colours: at least 4.2 light, 7.7 dark.
  const LOOKS = {
    light: { text: "#3d4951", grid: "#dde3e7", axis: "#6b7885", page: "#ffffff", series: {} },
    dark: {
      text: "#c9d1d8",
      grid: "#333d46",
      axis: "#84919b",
      page: "#14191e",
      series: { "#3a7ca5": "#7fbfe6", "#c8553d": "#f0937c", "#6f7f3a": "#b5c77a", "#8e6bb8": "#c3a6e6" },
    },
  };

  // Plotly does not wrap titles; a phone needs it to.
  function wrapped(text, width) {
    const limit = Math.max(12, Math.floor(width / 8.5));
    const lines = [""];
    for (const word of text.replace(/<br>/g, " ").split(" ")) {
      const line = `${lines.at(-1)} ${word}`.trim();
      if (line.length > limit && lines.at(-1)) lines.push(word);
      else lines[lines.length - 1] = line;
    }
    return lines;
  }

  const namesOf = (figure) => figure.data.map((trace) => trace.name || "");

  // Names of small panels, wrapped to the width of a panel. Returns the most lines that any name takes.
  function nameRowsOfPanels(layout, width) {
    const names = (layout.annotations ?? []).filter((note) => note.xref === "paper" && !note.showarrow);
    if (!names.length) return 0;
    const across = new Set(names.map((name) => name.x)).size;
    for (const name of names) {
      name.text = wrapped(name.text, (0.9 * width) / across).join("<br>");
      name.font = { ...name.font, size: 14 };
    }
    return Math.max(...names.map((name) => name.text.split("<br>").length));
  }

  // Title above legend above plot, each with the room it needs at this width.
  function makeRoom(layout, names, width) {
    const lines = layout.title?.text ? wrapped(layout.title.text, width) : [];
    const longest = Math.max(...names.map((name) => name.length));
    const across = Math.max(1, Math.floor((width - 90) / (60 + 8 * longest)));
    const rows = layout.showlegend === false || names.length < 2 ? 0 : Math.ceil(names.length / across);
    const panels = nameRowsOfPanels(layout, width);
    if (width < 480) {
      layout.margin = { ...layout.margin, l: 10, r: 10 };
      const axisTitle = layout.xaxis?.title;
      if (axisTitle?.text) axisTitle.text = wrapped(axisTitle.text, 0.45 * width).join("<br>");
    }
    const top = 12 + 22 * lines.length + 22 * rows + 18 * panels;
    layout.height = (layout.height ?? 360) + Math.max(0, top - 64);
    layout.margin = { ...layout.margin, t: top };
    if (lines.length) {
      const place = { x: 0, xanchor: "left", xref: "container", y: 1, yanchor: "top", yref: "container", pad: { t: 4 + 12 * (lines.length - 1) } };
      layout.title = { ...layout.title, ...place, text: lines.join("<br>"), font: { size: 16 } };
    }
  }

  // The names of lying bars, wrapped so that the bars keep more than half of a narrow page.
  function wrapBarNames({ data, layout }, width) {
    if (!data.every((trace) => trace.type === "bar" && trace.orientation === "h")) return;
    const names = data[0].y;
    const ticktext = names.map((name) => wrapped(name, width / 2.6).join("<br>"));
    Object.assign(layout.yaxis, { tickvals: names, ticktext });
    if (width < 480) delete layout.yaxis.title;
    const lines = Math.max(data.length, ...ticktext.map((name) => name.split("<br>").length));
    layout.height = 110 + names.length * (18 + 18 * lines);
  }

  function figureFor(chart, theme) {
    const look = LOOKS[theme] || LOOKS.light;
    let text = figures.get(chart);
    for (const [from, to] of Object.entries(look.series)) text = text.replaceAll(from, to);
    const figure = JSON.parse(text);
    const layout = figure.layout;
    layout.font = { ...layout.font, color: look.text };
    layout.paper_bgcolor = layout.plot_bgcolor = "rgba(0,0,0,0)";
    layout.hoverlabel = { ...layout.hoverlabel, bgcolor: look.page, bordercolor: look.axis, font: { color: look.text, size: 14 } };
    layout.dragmode = false; // a finger on a chart scrolls the page
    delete layout.width;
    for (const key of Object.keys(layout).filter((name) => /^[xy]axis\d*$/.test(name))) {
      Object.assign(layout[key], { gridcolor: look.grid, zerolinecolor: look.axis, linecolor: look.axis, tickcolor: look.axis });
    }
    if (layout.yaxis?.title?.text) layout.yaxis.title.standoff = 12; // or it lies on the names of the bars
    wrapBarNames(figure, chart.clientWidth);
    makeRoom(layout, namesOf(figure), chart.clientWidth);
    return figure;
  }

  function draw(chart, theme = root.dataset.theme) {
    const { data, layout } = figureFor(chart, theme);
    chart.style.minHeight = `${layout.height}px`;
    Plotly.react(chart, data, layout, { displayModeBar: false, responsive: true });
    drawn.add(chart);
  }

  let library;
  function load() {
    library ??= window.Plotly ? Promise.resolve() : new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = `${root.dataset.content_root}_static/plotly.min.js`;
      script.onload = resolve;
      script.onerror = reject;
      document.head.append(script);
    });
    return library;
  }

  const near = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        near.unobserve(target);
        load().then(() => draw(target));
      }
    },
    { rootMargin: "600px" },
  );
  charts.forEach((chart) => near.observe(chart));

  new MutationObserver(() => drawn.forEach((chart) => draw(chart))).observe(root, { attributeFilter: ["data-theme"] });
  addEventListener("beforeprint", () => window.Plotly && charts.forEach((chart) => draw(chart, "light")));
  addEventListener("afterprint", () => drawn.forEach((chart) => draw(chart)));
})();
