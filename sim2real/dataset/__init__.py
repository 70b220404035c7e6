"""Datasets: many clips, labelled, made by resumable jobs and written in the formats that teams train on."""
