"""Bring your own data: from a file that somebody has to a table that can be judged.

- `read`: any CSV file, workbook or Parquet file as a typed table, with every decision it took, or one
  sentence that says why not. The file is only ever read.
- `propose`: for every column a kind and a role, with the reason, for a person to correct.
- `describe`: where there is no data, a description instead, and test data made from it alone.
- `ask`: the questions at a terminal, one at a time.
- `answers`: the decisions only a person can take, in a file that they correct.
- `advise`: what the decision guide says for that purpose and that audience.
- `ladder`: synthetic tables on five rungs of the fidelity ladder, measured (`figures`) and attacked; taken up
  again after a stop.
- `linked`: the same for people and what belongs to them in other tables, split and made together.

`python3 -m course assess FILE` does the first two, and with `--into FOLDER` or at a terminal all of it. At
its end `course.release` writes the papers.
"""
